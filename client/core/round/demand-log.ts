import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import type { LogProofMessage } from "#shared/protocol/messages/log-proof.ts";
import { checkRoundLogged, type LogFault, logRefusal } from "#shared/secagg/log-demand.ts";
import { logEvidence } from "#shared/secagg/log-evidence.ts";
import type { SeenLog } from "#shared/secagg/seen-log.ts";
import { agreedLog } from "#shared/task/config.ts";
import type { ClientPorts } from "../ports.ts";
import type { PartContext } from "./context.ts";

interface LogContext extends Pick<PartContext, "expectedConfig" | "onContradiction"> {
  readonly ports: Pick<ClientPorts, "logs" | "primitives" | "wall">;
}

/** Another round of this device has gone on from the same state. The next one goes on from what it sees by then. */
export const LOG_MOVED: WireError = {
  ...wireError(
    "NOT_LOGGED",
    "This device has seen another state of the public log since it stated the one that this round goes on from. It waits for the next round.",
  ),
  retry: "later",
};

/**
 * Demands the proof that task and round are in the public log, before anything of the round is fetched or sent. It is held
 * against the newest state that this device stated. What the device then has seen is durable once this resolves.
 *
 * @returns What it has seen; null if its config names no log.
 * Errors: NOT_LOGGED, LOG_CONTRADICTED (also while there is evidence of an earlier one), and STORAGE_FULL if it could not be
 * remembered. Rules A40, A43.
 */
export async function demandRound(
  context: LogContext & Pick<PartContext, "stated">,
  invite: CoordinatorMessageOf<"invite">,
): Promise<Result<SeenLog | null, WireError>> {
  const { ports, expectedConfig: config, stated } = context;
  if (agreedLog(config) === null) return ok(null);
  if ((await ports.logs.evidence(config.logKey)) !== null) return err(wireError("LOG_CONTRADICTED"));
  const checked = await checkRoundLogged(ports.primitives, config, invite, stated);
  const before = stated.at(-1) ?? null;
  if (!checked.ok) return err(await refuseLog(context, checked.error, invite.log, before));
  try {
    return (await ports.logs.see(config.logKey, before, checked.value)) ? ok(checked.value) : err(LOG_MOVED);
  } catch {
    return err(wireError("STORAGE_FULL"));
  }
}

/** The refusal to state and show. Unless the next round may be better, the evidence is kept and sending is off (A43). */
export async function refuseLog(
  { ports, expectedConfig: config, onContradiction }: LogContext,
  fault: LogFault,
  proof: LogProofMessage | undefined,
  seen: SeenLog | null,
): Promise<WireError> {
  const refusal = logRefusal(fault);
  if (refusal.retry !== "never") return refusal;
  const at = ports.wall.nowUnixMs();
  const file = logEvidence({ config, seen, shown: proof, at, finding: refusal.message });
  // If it cannot be stored, it is shown as long as the program lives.
  await ports.logs.keepEvidence(config.logKey, file).catch(() => {});
  onContradiction(file);
  return refusal;
}
