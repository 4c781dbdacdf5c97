import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { parseLeaf } from "#shared/tlog/leaf.ts";
import type { LogProof } from "#shared/tlog/log-proof.ts";
import { coversInTime } from "../audit/covers-in-time.ts";
import { seenOf } from "../audit/sequencer.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { WitnessDemand } from "../ports/public-log.ts";

/** Time for the log to publish an entry that it has. A reader may come again. */
const PATIENCE_MS = 5_000;

/**
 * The proof that the entry `inputs.sealed` of a session is in the public log, for a participant's receipt. Rule A73.
 *
 * @param from  Number of entries that the reader has seen; 0 for none.
 * @param demand  Witnesses that must have signed: those of the round's task.
 * Errors: NOT_FOUND without a log, and unless the round has such a session with sealed inputs; UNAVAILABLE if the log does
 * not publish now.
 */
export async function proveSealedInputs(
  { publicLog, after }: Pick<CoordinatorPorts, "publicLog" | "after">,
  roundId: string,
  sid: string,
  from: number,
  demand: WitnessDemand | null,
): Promise<Result<LogProof, WireError>> {
  if (publicLog == null) return err(wireError("NOT_FOUND", NO_LOG));
  const index = await publicLog.find("inputs.sealed", sid);
  if (index === null) return err(wireError("NOT_FOUND", NO_ENTRY));
  const sought = Math.max(index, seenOf(publicLog.head(), from) - 1);
  if (!(await coversInTime(publicLog, after, sought, PATIENCE_MS, demand)))
    return err(wireError("UNAVAILABLE"));
  const proof = await publicLog.proof({ from: from === 0 ? null : from, leaves: [index], demand });
  if (!proof.ok) return err(wireError("UNAVAILABLE"));
  const [proved] = proof.value.leaves;
  const leaf = proved === undefined ? null : parseLeaf(proved.leaf);
  // Whoever may look up this round may perhaps not look up the one of that session.
  const isOfRound =
    leaf?.ok === true && leaf.value.kind === "inputs.sealed" && leaf.value.facts.roundId === roundId;
  return isOfRound ? ok(proof.value) : err(wireError("NOT_FOUND", NO_ENTRY));
}

const NO_LOG = "This coordinator keeps no public log, so that there are no receipts of it.";
const NO_ENTRY =
  "The public log has no sealed inputs for this session of this round. Check the session, or wait until the round has ended.";
