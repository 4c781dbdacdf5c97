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
const NODE_PREFIX = Uint8Array.of(1);

/** SHA-256(0x00 | data). */
export function merkleLeafHash(primitives: Primitives, data: Uint8Array): Promise<Bytes> {
  return primitives.sha256(concatBytes([LEAF_PREFIX, data]));
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
  if (index < 0 || index >= size || size > 2 ** 31) return false;
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
        node >>>= 1;
        last >>>= 1;
      }
    } else {
      hash = await nodeHash(primitives, hash, sibling);
    }
    node >>>= 1;
    last >>>= 1;
  }
  return last === 0 && equalBytes(hash, root);
}

function nodeHash(primitives: Primitives, left: Bytes, right: Bytes): Promise<Bytes> {
  return primitives.sha256(concatBytes([NODE_PREFIX, left, right]));
}
