import { bytesToHex, equalBytes, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { openCheckpoint } from "../tlog/checkpoint.ts";
import { verifyLogProof } from "../tlog/log-proof.ts";
import { SIGNATURE_TYPES, verifierKey } from "../tlog/note.ts";
import { whatIsWrong } from "./log-demand.ts";
import type { LogEvidence } from "./log-evidence.ts";

/**
 * What a file of evidence shows to someone who was not there.
 *
 * | verdict      | means                                                                                          |
 * | ------------ | ---------------------------------------------------------------------------------------------- |
 * | contradicted | the log's key signed two checkpoints of the same size with different roots                     |
 * | unproven     | the proof in the file does not hold, which its log need not have made: two honest checkpoints  |
 * |              | in the wrong order, or with a way between them that somebody has changed, look the same        |
 * | sound        | the proof holds under the checkpoint that was seen before: nothing of it is wrong             |
 * | worthless    | the checkpoint that was seen before is not signed by the key in the file                       |
 */
export interface EvidenceVerdict {
  readonly verdict: "contradicted" | "unproven" | "sound" | "worthless";
  /** In full sentences. */
  readonly sentence: string;
}

/** Repeats the finding of a device from its file alone. Rule A43. */
export async function checkLogEvidence(
  primitives: Primitives,
  { origin, logKey, seen, shown }: LogEvidence,
): Promise<EvidenceVerdict> {
  const key = hexToBytes(seen?.key ?? logKey);
  if (seen !== null) {
    const named = await verifierKey(primitives, origin, SIGNATURE_TYPES.ed25519, key);
    const opened = await openCheckpoint(primitives, seen.checkpoint, named);
    const isWhole =
      opened.ok &&
      opened.value.checkpoint.size === seen.size &&
      bytesToHex(opened.value.checkpoint.root) === seen.root;
    if (!isWhole)
      return {
        verdict: "worthless",
        sentence: `The checkpoint that the device says it saw is not signed by key ${bytesToHex(key)} of ${origin}. The file shows nothing.`,
      };
  }
  if (shown === null)
    return {
      verdict: "unproven",
      sentence: "The device was shown no proof. Nobody else can check that; ask it for its round again.",
    };
  const known = { origin, key, seen: seen && { size: seen.size, root: hexToBytes(seen.root) } };
  const verified = await verifyLogProof(primitives, shown, known);
  if (verified.ok)
    return {
      verdict: "sound",
      sentence: `The proof holds: ${verified.value.leaves.length} entries are in the log of ${verified.value.checkpoint.size}, which continues what was seen before. What the device missed is another entry.`,
    };
  const fault = verified.error;
  if (fault.type !== "forked" && fault.type !== "rolled-back")
    return { verdict: "unproven", sentence: whatIsWrong(fault) };
  const { seen: before, shown: after } = fault;
  if (before.size === after.size && !equalBytes(before.root, after.root))
    return {
      verdict: "contradicted",
      sentence: `${whatIsWrong(fault)} Both checkpoints are signed by key ${bytesToHex(key)} of ${origin}.`,
    };
  return {
    verdict: "unproven",
    sentence: `The file does not show that the log contradicts itself. It holds a checkpoint of ${before.size} and one of ${after.size}. Both are signed: ask the log for the way from one to the other.`,
  };
}
