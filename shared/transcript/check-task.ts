import { canonicalJson } from "../codec/canonical-json.ts";
import { bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import { configHash } from "../secagg/attempt.ts";
import { agreedConfigOf } from "../task/agreed-config.ts";
import type { RoundClaims } from "./claims.ts";
import { type Checked, fault } from "./fault.ts";
import type { SessionTranscript } from "./session-transcript.ts";

/** Hashes that the auditor knows from elsewhere, 64 hex digits each. For a missing one the coordinator is believed. */
export interface Pins {
  readonly configHash?: string | undefined;
  readonly issuerKey?: string | undefined;
}

/**
 * Checks that the session's config is the one that follows from this task under the issuer, project and code version that
 * it names. Vector, layout, bounds and graph then follow from the task. Rule A2.
 *
 * @returns Lines for people: the config, the issuer and the strategy of the round.
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
    return fault("TERMS", `Task ${task.slug} gives the config ${derived}, not ${claims.configHash}.`);
  if (pins.configHash !== undefined && pins.configHash !== derived)
    return fault("TERMS", `The round used the config ${derived}, not ${pins.configHash}.`);
  if (pins.issuerKey !== undefined && pins.issuerKey !== config.issuerKey)
    return fault("TERMS", `The issuer of the certificates is ${config.issuerKey}, not ${pins.issuerKey}.`);
  const said = (pin: string | undefined, flag: string) =>
    pin === undefined ? `as the coordinator says; pin it with ${flag}` : "as pinned";
  return ok([
    `Config ${derived} (${said(pins.configHash, "--config")}): task ${task.slug}, version ${task.version}, project ${config.projectId}, code ${config.codeVersion}.`,
    `Issuer ${config.issuerKey} (${said(pins.issuerKey, "--issuer")}).`,
    `Strategy ${canonicalJson(claims.strategy)}.`,
  ]);
}
