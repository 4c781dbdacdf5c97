import { assert } from "../kernel/assert.ts";
import { type Bytes, concatBytes, equalBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

/**
 * Merkle trees of RFC 6962 section 2.1: SHA-256, leaf = H(0x00 | data), node = H(0x01 | left | right).
 *
 * By hand, because merkletreejs hashes synchronously and by default does not separate leaves from nodes as RFC 6962 does.
 *
 * Does not protect: a root does not fix the number of leaves, so whatever is signed beside a root must. Low-entropy
 * leaves can be guessed from their hashes.
 */
export interface MerkleTree {
  /** Row 0 holds the leaf hashes, the last row only the root. An odd last node of a row moves up unchanged. */
  readonly rows: readonly (readonly Bytes[])[];
  readonly size: number;
  readonly root: Bytes;
}

/** Precedes a leaf's data. Exported for callers that hash the data as it streams in. */
export const LEAF_PREFIX = Uint8Array.of(0);
export const NODE_PREFIX = Uint8Array.of(1);

/** What is hashed, used again by every call: new memory for it takes as long as the hash. */
const shortLeaf: Bytes = new Uint8Array(2_048);
const node: Bytes = Uint8Array.of(1, ...new Uint8Array(64));

/** SHA-256(0x00 | data). */
export function merkleLeafHash(primitives: Pick<Primitives, "sha256">, data: Uint8Array): Promise<Bytes> {
  if (data.length >= shortLeaf.length) return primitives.sha256(concatBytes([LEAF_PREFIX, data]));
  shortLeaf.set(data, 1);
  return primitives.sha256(shortLeaf.subarray(0, 1 + data.length));
}

/** The tree over leaf hashes. Without leaves its root is SHA-256(""). */
export async function buildMerkleTree(
  primitives: Primitives,
  leafHashes: readonly Bytes[],
): Promise<MerkleTree> {
  const rows: (readonly Bytes[])[] = [leafHashes];
  let row = leafHashes;
  while (row.length > 1) {
    const current = row;
    row = await Promise.all(
      Array.from({ length: Math.ceil(current.length / 2) }, async (_, parent) => {
        const left = current[2 * parent] as Bytes;
        const right = current[2 * parent + 1];
        return right === undefined ? left : nodeHash(primitives, left, right);
      }),
    );
    rows.push(row);
  }
  const root = row[0] ?? (await primitives.sha256(new Uint8Array(0)));
  return { rows, size: leafHashes.length, root };
}

/** Root over leaf data. */
export async function merkleRoot(primitives: Primitives, leaves: readonly Uint8Array[]): Promise<Bytes> {
  const hashes = await Promise.all(leaves.map((leaf) => merkleLeafHash(primitives, leaf)));
  return (await buildMerkleTree(primitives, hashes)).root;
}

/** The siblings from leaf `index` (0-based) up to the root. RFC 6962 section 2.1.1. */
export function merklePath(tree: MerkleTree, index: number): Bytes[] {
  assert(Number.isInteger(index) && index >= 0 && index < tree.size, `no leaf ${index}`);
  const path: Bytes[] = [];
  let node = index;
  for (const row of tree.rows) {
    const sibling = row[node ^ 1];
    if (sibling !== undefined) path.push(sibling);
    node >>>= 1;
  }
  return path;
}

/** A peer's claim that `leafHash` is leaf `index` of `size` leaves under `root`. */
export interface InclusionClaim {
  readonly leafHash: Bytes;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Bytes[];
  readonly root: Bytes;
}

/** True iff the path proves the claim; false for a malformed claim. Source: RFC 9162 section 2.1.3.2. */
export async function verifyInclusion(primitives: Primitives, claim: InclusionClaim): Promise<boolean> {
  const { index, size, path, root } = claim;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size)) return false;
  if (index < 0 || index >= size) return false;
  if (claim.leafHash.length !== 32 || path.some((hash) => hash.length !== 32)) return false;
  let node = index;
  let last = size - 1;
  let hash = claim.leafHash;
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = await nodeHash(primitives, sibling, hash);
      // A last node without a sibling moved up unchanged. Skip those rows.
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      hash = await nodeHash(primitives, hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && equalBytes(hash, root);
}

/** A peer's claim that the tree of `size` leaves under `root` begins with the `earlierSize` leaves under `earlierRoot`. */
export interface ConsistencyClaim {
  readonly earlierSize: number;
  readonly earlierRoot: Bytes;
  readonly size: number;
  readonly root: Bytes;
  readonly path: readonly Bytes[];
}

/**
 * True iff the path proves the claim; false for a malformed claim. Every tree begins with the empty one.
 * Source: RFC 9162 section 2.1.4.2.
 */
export async function verifyConsistency(primitives: Primitives, claim: ConsistencyClaim): Promise<boolean> {
  const { earlierSize, earlierRoot, size, root } = claim;
  if (!Number.isSafeInteger(earlierSize) || !Number.isSafeInteger(size)) return false;
  if (earlierSize < 0 || earlierSize > size) return false;
  if (claim.path.some((hash) => hash.length !== 32)) return false;
  if (earlierSize === 0) return claim.path.length === 0;
  if (earlierSize === size) return claim.path.length === 0 && equalBytes(earlierRoot, root);
  // The path leaves out the earlier root if that is a node of the later tree.
  const [first, ...rest] = isPowerOfTwo(earlierSize) ? [earlierRoot, ...claim.path] : claim.path;
  if (first === undefined) return false;
  let node = earlierSize - 1;
  let last = size - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  let [earlier, later] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      earlier = await nodeHash(primitives, sibling, earlier);
      later = await nodeHash(primitives, sibling, later);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      later = await nodeHash(primitives, later, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && equalBytes(earlier, earlierRoot) && equalBytes(later, root);
}

/** Shifts would cut a number to 32 bits; logs may be longer than that. */
function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest % 2 === 0 && rest > 0) rest /= 2;
  return rest === 1;
}

/** SHA-256(0x01 | left | right). */
export function nodeHash(primitives: Pick<Primitives, "sha256">, left: Bytes, right: Bytes): Promise<Bytes> {
  if (left.length !== 32 || right.length !== 32)
    return primitives.sha256(concatBytes([NODE_PREFIX, left, right]));
  node.set(left, 1);
  node.set(right, 33);
  return primitives.sha256(node);
}
