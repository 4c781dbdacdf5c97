import { canonicalJson } from "../codec/canonical-json.ts";
import { bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import { configHash } from "../secagg/attempt.ts";
import { agreedConfigOf } from "../task/agreed-config.ts";
import type { RoundClaims } from "./claims.ts";
import { type Checked, fault } from "./fault.ts";
import type { SessionTranscript } from "./session-transcript.ts";

/** What the auditor knows from elsewhere, 64 hex digits each; what is left out is taken as the coordinator says it. */
export interface Pins {
  readonly configHash?: string | undefined;
  readonly issuerKey?: string | undefined;
}

/**
 * That the session's config is the very one that this task makes under the issuer, project and code that it names: vector,
 * layout, bounds and graph below follow from the task. Rule A2.
 *
 * @returns Lines for people: what else than the task the round went by.
 */
export async function checkTask(
  primitives: Primitives,
  claims: RoundClaims,
  { config }: SessionTranscript,
  pins: Pins,
): Promise<Checked<readonly string[]>> {
  const { task } = claims;
  const derived = bytesToHex(await configHash(primitives, await agreedConfigOf(primitives, task, config)));
  if (derived !== claims.configHash)
    return fault("TERMS", `Task ${task.slug} does not make the config ${claims.configHash}, but ${derived}.`);
  if (pins.configHash !== undefined && pins.configHash !== derived)
    return fault("TERMS", `The round went by the config ${derived}, not by ${pins.configHash}.`);
  if (pins.issuerKey !== undefined && pins.issuerKey !== config.issuerKey)
    return fault("TERMS", `Devices are certified by ${config.issuerKey}, not by ${pins.issuerKey}.`);
  const said = (pin: string | undefined, flag: string) =>
    pin === undefined ? `as the coordinator says; pin it with ${flag}` : "as pinned";
  return ok([
    `Config ${derived} (${said(pins.configHash, "--config")}): task ${task.slug}, version ${task.version}, project ${config.projectId}, code ${config.codeVersion}.`,
    `Issuer ${config.issuerKey} (${said(pins.issuerKey, "--issuer")}).`,
    `Strategy ${canonicalJson(claims.strategy)}.`,
  ]);
}
