import { nodeHash } from "../crypto/merkle.ts";
import { assert, present } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

/*
 * Roots and proofs of a tree that is read node by node, so that a proof costs a few reads, however long the log is.
 *
 * Source: RFC 6962 section 2.1. Sizes go up to 2^53.
 */

/** What a checkpoint says of a tree. */
export interface TreeHead {
  /** Number of leaves. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Bytes;
}

/** The hash over the `2 ** level` leaves that begin at leaf `index * 2 ** level`, all of which exist. */
export type NodeReader = (level: number, index: number) => Promise<Bytes>;

/**
 * All nodes over hashes that stand side by side, the first at an even place: row `r` has the hash over each `2 ** r` of them, as
 * far as they are there.
 */
export async function subtreeRows(
  primitives: Pick<Primitives, "sha256">,
  hashes: readonly Bytes[],
): Promise<readonly (readonly Bytes[])[]> {
  const rows: (readonly Bytes[])[] = [hashes];
  for (let row = hashes; row.length > 1; ) {
    const current = row;
    row = await Promise.all(
      Array.from({ length: Math.floor(current.length / 2) }, (_, parent) =>
        nodeHash(primitives, current[2 * parent] as Bytes, current[2 * parent + 1] as Bytes),
      ),
    );
    rows.push(row);
  }
  return rows;
}

/** The hash over a power of two of hashes that stand side by side. */
export async function subtreeHash(
  primitives: Pick<Primitives, "sha256">,
  hashes: readonly Bytes[],
): Promise<Bytes> {
  const top = (await subtreeRows(primitives, hashes)).at(-1);
  assert(2 ** Math.round(Math.log2(hashes.length)) === hashes.length, `${hashes.length} is no power of two`);
  return present(top?.[0], "there are hashes");
}

/** The hash over leaves `begin` to `end`, `end` not included. */
async function rangeHash(
  primitives: Pick<Primitives, "sha256">,
  node: NodeReader,
  begin: number,
  end: number,
): Promise<Bytes> {
  const count = end - begin;
  const split = splitOf(count);
  if (count === 2 * split) return node(Math.round(Math.log2(count)), begin / count);
  const [left, right] = await Promise.all([
    rangeHash(primitives, node, begin, begin + split),
    rangeHash(primitives, node, begin + split, end),
  ]);
  return nodeHash(primitives, left, right);
}

/** The largest power of two below `count`; 1/2 for one leaf. */
function splitOf(count: number): number {
  let split = 0.5;
  while (2 * split < count) split *= 2;
  return split;
}

/** The root of a tree with `size` leaves. */
export function treeRoot(
  primitives: Pick<Primitives, "sha256">,
  node: NodeReader,
  size: number,
): Promise<Bytes> {
  return size === 0 ? primitives.sha256(new Uint8Array(0)) : rangeHash(primitives, node, 0, size);
}

/** The siblings from leaf `index` up to the root, as `verifyInclusion` takes them. RFC 6962 section 2.1.1. */
export async function inclusionPath(
  primitives: Pick<Primitives, "sha256">,
  node: NodeReader,
  index: number,
  size: number,
): Promise<Bytes[]> {
  assert(Number.isSafeInteger(index) && index >= 0 && index < size, `no leaf ${index} of ${size}`);
  const siblings: Promise<Bytes>[] = [];
  let [begin, end] = [0, size];
  while (end - begin > 1) {
    const middle = begin + splitOf(end - begin);
    if (index < middle) {
      siblings.push(rangeHash(primitives, node, middle, end));
      end = middle;
    } else {
      siblings.push(rangeHash(primitives, node, begin, middle));
      begin = middle;
    }
  }
  return (await Promise.all(siblings)).reverse();
}

/** What `verifyConsistency` takes to go from the tree of `earlier` leaves to that of `size`. RFC 6962 section 2.1.2. */
export async function consistencyPath(
  primitives: Pick<Primitives, "sha256">,
  node: NodeReader,
  earlier: number,
  size: number,
): Promise<Bytes[]> {
  assert(Number.isSafeInteger(earlier) && earlier >= 0 && earlier <= size, `no tree ${earlier} of ${size}`);
  if (earlier === 0 || earlier === size) return [];
  const hashes: Promise<Bytes>[] = [];
  let [begin, end] = [0, size];
  while (earlier !== end) {
    const middle = begin + splitOf(end - begin);
    if (earlier <= middle) {
      hashes.push(rangeHash(primitives, node, middle, end));
      end = middle;
    } else {
      hashes.push(rangeHash(primitives, node, begin, middle));
      begin = middle;
    }
  }
  // The verifier has the earlier root itself if that is a node of the later tree.
  if (begin > 0) hashes.push(rangeHash(primitives, node, begin, end));
  return (await Promise.all(hashes)).reverse();
}
