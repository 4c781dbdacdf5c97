import { bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { type WireError, wireError } from "../protocol/errors.ts";
import type { HashHex, SessionId } from "../protocol/ids.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import type { LogProofMessage } from "../protocol/messages/log-proof.ts";
import { type AgreedConfig, agreedLog } from "../task/config.ts";
import type { Leaf, LeafOf } from "../tlog/leaf.ts";
import type { LeafKind } from "../tlog/leaf-kinds.ts";
import { type LogProofError, verifyLogProof } from "../tlog/log-proof.ts";
import { quorumOf } from "../tlog/quorum.ts";
import { configHash, roundIdOf } from "./attempt.ts";
import type { SeenLog } from "./seen-log.ts";

/*
 * What a device demands of the public log that its config names. PROTOCOL.md section 5.
 *
 * | before            | these are in a checkpoint that extends what the device saw last          | rule |
 * | ----------------- | ------------------------------------------------------------------------ | ---- |
 * | the model's fetch | task.published of its version and config, round.opened of this round     | A40  |
 * | R4                | survivors.signed of the sets that it confirmed                           | A41  |
 *
 * Does not protect: a device that saw nothing before believes the log that it is shown first, unless witnesses have signed
 * it. A log proves what was stated, not that it is true.
 */

/** Why a device sends nothing. */
export type LogFault =
  | LogProofError
  /** The message has no proof. */
  | { readonly type: "no-proof" }
  /** The proof begins at a size that the device stated before the newest, so it proves nothing to it by now. */
  | { readonly type: "other-start"; readonly from: number; readonly seen: number }
  /** The proof begins at a size that the device never stated. */
  | { readonly type: "foreign-start"; readonly from: number }
  /** The proof is sound, but not about this. */
  | { readonly type: "other-leaf"; readonly kind: LeafKind };

type Proved = Result<SeenLog, LogFault>;

/**
 * A40: the task and the round are in the log. Checked before the model is fetched.
 *
 * @param config  As the device derives it. It names a log.
 * @param stated  What the device has said that it saw, the newest last; null for nothing. The proof goes on from the newest.
 */
export async function checkRoundLogged(
  primitives: Primitives,
  config: AgreedConfig,
  invite: Pick<CoordinatorMessageOf<"invite">, "runId" | "round" | "modelHash" | "log">,
  stated: readonly (SeenLog | null)[],
): Promise<Proved> {
  const read = await readProof(primitives, config, invite.log, stated);
  if (!read.ok) return read;
  const { leaves, now } = read.value;
  const hash = bytesToHex(await configHash(primitives, config));
  const task = leafOf(leaves, "task.published")?.facts;
  const { task: slug, taskVersion, taskHash } = config;
  const isTask = task?.slug === slug && task.taskVersion === taskVersion && task.taskHash === taskHash;
  if (!isTask || task.configHash !== hash) return err({ type: "other-leaf", kind: "task.published" });
  const round = leafOf(leaves, "round.opened")?.facts;
  const roundId = await roundIdOf(primitives, invite.runId, invite.round);
  const isRound = round?.roundId === roundId && round.modelHash === invite.modelHash;
  if (!isRound || round.configHash !== hash) return err({ type: "other-leaf", kind: "round.opened" });
  return ok(now);
}

/** The sets that a device has confirmed, in a session, and over which signatures. */
interface ConfirmedSets {
  readonly sid: SessionId;
  readonly u2: string;
  readonly u3: string;
  /** As the device computes it over the confirmations that it was shown. */
  readonly signatureRoot: string;
}

/**
 * A41: the sets that the device confirmed are in the log, with the signatures that it was shown. Checked before a share leaves.
 *
 * @param seen  The log that came with the invitation.
 */
export async function checkSurvivorsLogged(
  primitives: Primitives,
  config: AgreedConfig,
  proof: LogProofMessage | undefined,
  seen: SeenLog,
  sets: ConfirmedSets,
): Promise<Proved> {
  const read = await readProof(primitives, config, proof, [seen]);
  if (!read.ok) return read;
  const signed = leafOf(read.value.leaves, "survivors.signed")?.facts;
  const isOwn = signed?.sid === sets.sid && signed.u2 === sets.u2 && signed.u3 === sets.u3;
  return isOwn && signed.signatureRoot === sets.signatureRoot
    ? ok(read.value.now)
    : err({ type: "other-leaf", kind: "survivors.signed" });
}

interface ReadProof {
  readonly leaves: readonly Leaf[];
  readonly now: SeenLog;
}

async function readProof(
  primitives: Primitives,
  config: AgreedConfig,
  proof: LogProofMessage | undefined,
  stated: readonly (SeenLog | null)[],
): Promise<Result<ReadProof, LogFault>> {
  const log = agreedLog(config);
  if (proof === undefined || log === null) return err({ type: "no-proof" });
  const seen = stated.at(-1) ?? null;
  const start = startFault(proof, seen, stated);
  if (start !== null) return err(start);
  const verified = await verifyLogProof(primitives, proof, {
    origin: log.origin,
    key: seen === null ? log.key : hexToBytes(seen.key),
    seen: seen === null ? null : { size: seen.size, root: hexToBytes(seen.root) },
    quorum: await quorumOf(primitives, log.witnesses, log.cosignaturesMin),
  });
  if (!verified.ok) return verified;
  const { checkpoint, key, leaves } = verified.value;
  const root = bytesToHex(checkpoint.root) as HashHex;
  const hex = bytesToHex(key) as HashHex;
  return ok({ leaves, now: { size: checkpoint.size, root, key: hex, checkpoint: proof.checkpoint } });
}

/**
 * Where a proof begins is the coordinator's word. It may have read an earlier statement of this device; any other start is
 * none that the device asked for.
 */
function startFault(
  { from }: LogProofMessage,
  seen: SeenLog | null,
  stated: readonly (SeenLog | null)[],
): LogFault | null {
  const size = seen?.size ?? 0;
  if (from === size) return null;
  const isStated = stated.some((head) => (head?.size ?? 0) === from);
  return isStated ? { type: "other-start", from, seen: size } : { type: "foreign-start", from };
}

function leafOf<Kind extends LeafKind>(leaves: readonly Leaf[], kind: Kind): LeafOf<Kind> | undefined {
  return leaves.find((leaf): leaf is Leaf & LeafOf<Kind> => leaf.kind === kind);
}

/** True if two signed checkpoints of the log contradict each other: nobody but the log's keeper can have made both. */
export function isContradiction({ type }: LogFault): boolean {
  return type === "forked" || type === "rolled-back";
}

/** The refusal that a device states and shows. Says what was found, not what has left: that is said with the round. */
export function logRefusal(fault: LogFault): WireError {
  const sentence = `${whatIsWrong(fault)} ${SENDING_IS_OFF}`;
  if (isContradiction(fault)) return wireError("LOG_CONTRADICTED", sentence);
  if (fault.type === "too-few-witnesses" || fault.type === "other-start")
    return {
      ...wireError("NOT_LOGGED", `${whatIsWrong(fault)} It waits for the next round.`),
      retry: "later",
    };
  return wireError("NOT_LOGGED", sentence);
}

const SENDING_IS_OFF = "Sending is off. Keep the file with the evidence.";

/** In a sentence, for whoever reads a refusal or its evidence. */
export function whatIsWrong(fault: LogFault): string {
  switch (fault.type) {
    case "rolled-back":
      return `This device saw ${count(fault.seen.size)} of the public log before, and now ${count(fault.shown.size)}. The log was rolled back.`;
    case "forked":
      return `The public log with ${count(fault.shown.size)} does not continue the one with ${count(fault.seen.size)} that this device saw before. The log was split: others may be shown something else.`;
    case "no-proof":
      return "The coordinator gave no proof that this is in its public log.";
    case "not-included":
    case "bad-leaf":
    case "unknown-kind":
      return "The coordinator's proof does not show that this is in its public log.";
    case "other-leaf":
      return `The public log has no entry ${fault.kind} for what the coordinator asks. Nothing that others cannot see is agreed to.`;
    case "other-start":
      return `The coordinator's proof begins at ${count(fault.from)}, and this device has seen ${count(fault.seen)} since.`;
    case "foreign-start":
      return `The coordinator's proof begins at ${count(fault.from)}, which this device never said that it saw.`;
    case "too-few-witnesses":
      return `${fault.have} of the ${fault.need} witnesses that this task asks for have signed the public log.`;
    case "bad-rotation":
      return "The public log changed its key without the signature of the key before.";
    default:
      return "The checkpoint of the public log is not signed by the key that was agreed to.";
  }
}

function count(entries: number): string {
  return `${entries.toLocaleString("en")} ${entries === 1 ? "entry" : "entries"}`;
}
