import { merkleLeafHash, verifyConsistency, verifyInclusion } from "../crypto/merkle.ts";
import { type Bytes, bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { type Checkpoint, type OpenCheckpointError, openCheckpoint } from "./checkpoint.ts";
import { nextKey } from "./key-rotation.ts";
import { type Leaf, type LeafError, parseLeaf } from "./leaf.ts";
import { SIGNATURE_TYPES, type VerifiedSignature, verifierKey } from "./note.ts";
import { NO_QUORUM, type Quorum, type TooFewWitnesses, tooFewWitnesses } from "./quorum.ts";
import type { TreeHead } from "./tree.ts";

/** One leaf, with its way up to the root of the proof's checkpoint. */
export interface ProvedLeaf {
  readonly index: number;
  /** As it stands in the log. */
  readonly leaf: Bytes;
  readonly path: readonly Bytes[];
}

/** That leaves are in a log which goes on from one that somebody has seen. */
export interface LogProof {
  /** A signed note, with the cosignatures that have come. */
  readonly checkpoint: string;
  /** From the tree that was seen. */
  readonly consistency: readonly Bytes[];
  readonly leaves: readonly ProvedLeaf[];
  /** Leaves `log.keyRotated`, all that the log has, in order. */
  readonly rotations: readonly ProvedLeaf[];
}

/** What someone knows of a log. */
export interface KnownLog {
  readonly origin: string;
  /** The log's newest key that is known; 32 bytes. */
  readonly key: Bytes;
  /** The newest tree that was seen; null before the first. */
  readonly seen: TreeHead | null;
  /** Who must have cosigned; nobody if absent. */
  readonly quorum?: Quorum;
}

export interface VerifiedLogProof {
  /** To be remembered as `seen`. */
  readonly checkpoint: Checkpoint;
  /** To be remembered as `key`: rotations are followed. */
  readonly key: Bytes;
  /** In the order of `proof.leaves`. */
  readonly leaves: readonly Leaf[];
  readonly cosigned: readonly VerifiedSignature[];
}

/**
 * Holds a proof against what is known of its log.
 *
 * Errors, which all mean that nothing may leave the device: see `LogProofError`.
 */
export async function verifyLogProof(
  primitives: Primitives,
  proof: LogProof,
  known: KnownLog,
): Promise<Result<VerifiedLogProof, LogProofError>> {
  const followed = await followRotations(primitives, proof.rotations, known);
  if (!followed.ok) return followed;
  const key = followed.value.at(-1)?.key ?? known.key;
  const named = await verifierKey(primitives, known.origin, SIGNATURE_TYPES.ed25519, key);
  const { quorum = NO_QUORUM } = known;
  const opened = await openCheckpoint(primitives, proof.checkpoint, named, quorum.witnesses);
  if (!opened.ok) return opened;
  const { checkpoint, cosigned } = opened.value;
  const extended = await extendsSeen(primitives, proof.consistency, known.seen, checkpoint);
  if (!extended.ok) return extended;
  for (const { proved } of followed.value)
    if (!(await isIncluded(primitives, proved, checkpoint)))
      return err({ type: "not-included", index: proved.index });
  const leaves: Leaf[] = [];
  for (const proved of proof.leaves) {
    if (!(await isIncluded(primitives, proved, checkpoint)))
      return err({ type: "not-included", index: proved.index });
    const leaf = parseLeaf(proved.leaf);
    if (!leaf.ok) return leaf;
    leaves.push(leaf.value);
  }
  // The last of all: what contradicts the log is said first.
  const tooFew = tooFewWitnesses(quorum, cosigned);
  return tooFew === null ? ok({ checkpoint, key, leaves, cosigned }) : err(tooFew);
}
export type LogProofError =
  | OpenCheckpointError
  | LeafError
  | TooFewWitnesses
  /** The log is shorter than it was. */
  | { readonly type: "rolled-back"; readonly seen: TreeHead; readonly shown: TreeHead }
  /** The log is not the one that was seen, with more at its end: it shows different people different logs. */
  | { readonly type: "forked"; readonly seen: TreeHead; readonly shown: TreeHead }
  | { readonly type: "not-included"; readonly index: number }
  /** Of a rotation that the key before has not signed, or which is none. */
  | { readonly type: "bad-rotation"; readonly index: number };

async function extendsSeen(
  primitives: Primitives,
  path: readonly Bytes[],
  seen: TreeHead | null,
  shown: TreeHead,
): Promise<Result<undefined, LogProofError>> {
  if (seen === null) return ok(undefined);
  if (shown.size < seen.size) return err({ type: "rolled-back", seen, shown });
  const claim = { earlierSize: seen.size, earlierRoot: seen.root, size: shown.size, root: shown.root, path };
  return (await verifyConsistency(primitives, claim)) ? ok(undefined) : err({ type: "forked", seen, shown });
}

/** True if the proof's path leads from the leaf to the root of `head`. */
export async function isIncluded(
  primitives: Primitives,
  { leaf, index, path }: ProvedLeaf,
  { size, root }: TreeHead,
): Promise<boolean> {
  const leafHash = await merkleLeafHash(primitives, leaf);
  return verifyInclusion(primitives, { leafHash, index, size, path, root });
}

interface Followed {
  readonly proved: ProvedLeaf;
  /** The key that it hands over to. */
  readonly key: Bytes;
}

/** The rotations after the known key, each signed by the key before it. Earlier ones are passed over. */
async function followRotations(
  primitives: Primitives,
  rotations: readonly ProvedLeaf[],
  known: Pick<KnownLog, "origin" | "key">,
): Promise<Result<readonly Followed[], LogProofError>> {
  const followed: Followed[] = [];
  let key = known.key;
  for (const proved of rotations) {
    const leaf = parseLeaf(proved.leaf);
    const bad = err({ type: "bad-rotation", index: proved.index } as const);
    if (!leaf.ok || leaf.value.kind !== "log.keyRotated") return bad;
    const { facts } = leaf.value;
    if (facts.from !== bytesToHex(key)) {
      if (followed.length > 0) return bad;
      continue;
    }
    const next = await nextKey(primitives, facts, { origin: known.origin, publicKey: key });
    if (next === undefined) return bad;
    followed.push({ proved, key: next });
    key = next;
  }
  return ok(followed);
}
