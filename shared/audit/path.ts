import { merkleLeafHash, nodeHash } from "../crypto/merkle.ts";
import { present } from "../kernel/assert.ts";
import { type Bytes, bytesToHex, utf8ToText } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok, type Result } from "../kernel/result.ts";
import type { TiledTree, TileError } from "../tlog/tiled-tree.ts";

/** One joining: the fingerprint over entries `from` to the one before `to`, at this side of the path. */
export interface PathStep {
  readonly side: "left" | "right";
  readonly from: number;
  readonly to: number;
}

/** What each step of an inclusion path in a tree of `size` entries covers, from the entry up. RFC 6962 section 2.1. */
export function pathSteps(index: number, size: number): readonly PathStep[] {
  const steps: PathStep[] = [];
  let [begin, end] = [0, size];
  while (end - begin > 1) {
    const middle = begin + largestPowerBelow(end - begin);
    if (index < middle) {
      steps.push({ side: "right", from: middle, to: end });
      end = middle;
    } else {
      steps.push({ side: "left", from: begin, to: middle });
      begin = middle;
    }
  }
  return steps.reverse();
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (2 * power < count) power *= 2;
  return power;
}

/** An entry and its way to the root, with all that was computed on it. Hashes in hex. */
export interface EntryPath {
  readonly index: number;
  readonly size: number;
  /** The entry as it stands in the log. */
  readonly text: string;
  readonly leafHash: string;
  readonly steps: readonly (PathStep & { readonly hash: string })[];
  /** What the steps lead to. */
  readonly computedRoot: string;
  readonly signedRoot: string;
}

/** Computes an entry's way to the root again. Rule A64. */
export async function entryPath(
  primitives: Primitives,
  tree: TiledTree,
  index: number,
): Promise<Result<EntryPath, TileError>> {
  const { size, root } = tree.head;
  const [path, leaves] = await Promise.all([tree.inclusion(index), tree.leaves(index, index + 1)]);
  if (!path.ok) return path;
  if (!leaves.ok) return leaves;
  const leaf = present(leaves.value[0], "an entry");
  const leafHash = await merkleLeafHash(primitives, leaf);
  let hash: Bytes = leafHash;
  const steps: EntryPath["steps"][number][] = [];
  for (const [at, step] of pathSteps(index, size).entries()) {
    const other = present(path.value[at], "a path has a hash for each step");
    hash = await (step.side === "left"
      ? nodeHash(primitives, other, hash)
      : nodeHash(primitives, hash, other));
    steps.push({ ...step, hash: bytesToHex(other) });
  }
  return ok({
    index,
    size,
    text: utf8ToText(leaf) ?? "",
    leafHash: bytesToHex(leafHash),
    steps,
    computedRoot: bytesToHex(hash),
    signedRoot: bytesToHex(root),
  });
}
