import { hexToBytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import { whatIsWrong } from "#shared/secagg/log-demand.ts";
import type { SeenLog } from "#shared/secagg/seen-log.ts";
import { agreedLog } from "#shared/task/config.ts";
import type { LogProof, LogProofError } from "#shared/tlog/log-proof.ts";
import { logProofOf, logProofViewSchema } from "#shared/tlog/log-proof-view.ts";
import { quorumOf } from "#shared/tlog/quorum.ts";
import {
  type InputReceipt,
  type MakeReceiptError,
  makeInputReceipt,
} from "#shared/transcript/input-receipt.ts";
import type { ClientPorts } from "../ports.ts";
import type { ContributionSummary } from "../view.ts";
import type { PartContext } from "./context.ts";
import { refuseLog } from "./demand-log.ts";

export { createLogMemory } from "../log-memory.ts";

export interface OwnReceipt {
  /** Of the file, a `tlog-proof`. */
  readonly text: string;
  readonly receipt: InputReceipt;
  /** The log's key, for whoever checks the file: NAME+KEYID+KEY. */
  readonly logKey: string;
  /** Those that the task names, each as NAME+KEYID+KEY, and how many of them must have signed. */
  readonly witnesses: readonly string[];
  readonly witnessesNeeded: number;
}

interface ReceiptContext extends Pick<PartContext, "expectedConfig" | "onContradiction"> {
  readonly ports: Pick<ClientPorts, "link" | "logs" | "primitives" | "wall">;
}

/**
 * Fetches the proof that this device's list was sealed under an entry of the public log, checks it as in a round, and makes
 * the receipt, which holds the checkpoint. What the device remembers of the log stays: only rounds, which say what they have
 * seen, move it.
 *
 * Errors: STATE if the round has not committed with this device's list, or if there is no log; NOT_LOGGED and
 * LOG_CONTRADICTED as in a round, with the evidence kept; those of the coordinator; UNAVAILABLE if it cannot be reached.
 * Rule A72.
 */
export async function ownReceipt(
  context: ReceiptContext,
  { runId, round, sid, root, outcome }: ContributionSummary,
): Promise<Result<OwnReceipt, WireError>> {
  const { ports, expectedConfig } = context;
  const { link, logs, primitives } = ports;
  const log = agreedLog(expectedConfig);
  if (log === null) return err(wireError("STATE", NO_LOG));
  if (outcome?.kind !== "committed" || sid === null || root === null)
    return err(wireError("STATE", NOT_IN_SUM));
  const seen = await logs.seen(expectedConfig.logKey);
  const from = seen?.size ?? 0;
  const roundId = await roundIdOf(primitives, runId, round);
  const answer = await link.fetchPart(`/api/v1/rounds/${roundId}/sealed-inputs?sid=${sid}&from=${from}`);
  if (!answer.ok)
    return err(answer.error.type === "refused" ? answer.error.error : wireError("UNAVAILABLE", NOT_REACHED));
  const proof = proofOf(answer.value);
  if (proof === null) return err(wireError("BAD_MESSAGE"));
  const known = {
    origin: log.origin,
    key: seen === null ? log.key : hexToBytes(seen.key),
    seen: seen === null ? null : { size: seen.size, root: hexToBytes(seen.root) },
    quorum: await quorumOf(primitives, log.witnesses, log.cosignaturesMin),
  };
  const { survivorCount, proof: own } = outcome;
  const made = await makeInputReceipt(primitives, proof, known, { sid, root, survivorCount, proof: own });
  if (!made.ok) return err(await refusalOf(context, made.error, { proof, from, seen }));
  const { text, receipt, logKey } = made.value;
  return ok({ text, receipt, logKey, witnesses: log.witnesses, witnessesNeeded: log.cosignaturesMin });
}

const NO_LOG =
  "The coordinator kept no public log when this was agreed to, so that there is no receipt of it.";
const NOT_IN_SUM = "This device's list is in no sum of that round, so that there is no receipt of it.";
const NOT_REACHED = "The coordinator cannot be reached now. Try again later.";
const OTHER_ENTRY =
  "The entry of the public log does not say what this device was told: its list is not under it. Keep what left in this round, and ask whoever runs the coordinator.";

function proofOf(answer: unknown): LogProof | null {
  const view = logProofViewSchema.safeParse(answer);
  const proof = view.success ? logProofOf(view.data) : null;
  return proof?.ok === true ? proof.value : null;
}

/** What is wrong with the log is treated as in a round: the evidence is kept, and sending may be off. */
async function refusalOf(
  context: ReceiptContext,
  error: MakeReceiptError,
  { proof, from, seen }: { readonly proof: LogProof; readonly from: number; readonly seen: SeenLog | null },
): Promise<WireError> {
  if (isOfReceipt(error)) return wireError("NOT_LOGGED", OTHER_ENTRY);
  if (error.type === "too-few-witnesses")
    return { ...wireError("NOT_LOGGED", `${whatIsWrong(error)} Try again later.`), retry: "later" };
  return refuseLog(context, error, { from, ...messageOf(proof) }, seen);
}

function isOfReceipt(error: MakeReceiptError): error is Exclude<MakeReceiptError, LogProofError> {
  return error.type === "other-entry" || error.type === "not-under-entry" || error.type === "bad-receipt";
}

function messageOf({ checkpoint, consistency, leaves, rotations }: LogProof) {
  const own = ({ index, leaf, path }: LogProof["leaves"][number]) => ({ index, leaf, path: [...path] });
  return {
    checkpoint,
    consistency: [...consistency],
    leaves: leaves.map(own),
    rotations: rotations.map(own),
  };
}
