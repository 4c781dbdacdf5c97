import { equalBytes } from "#shared/kernel/bytes.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { encodeLeaf, parseWrittenLeaf } from "#shared/tlog/leaf.ts";
import type { TiledTree } from "#shared/tlog/tiled-tree.ts";
import { TILE_WIDTH } from "#shared/tlog/tiles.ts";
import type { LeafStore, StagedLeaf } from "../ports/leaf-store.ts";
import { damaged, halted, type Refusal } from "./refusal.ts";

/*
 * A database beside a log that goes further. What the database has lost comes from the bundles. If it was written to after it was
 * put back, its own new leaves stand where others are in the log. No checkpoint has them, so they move behind: the places of what
 * was published never change.
 */

/** Leaves that are compared at the end of what both sides have. */
const COMPARED = 4 * TILE_WIDTH;

interface Standing {
  /** What the database's own head has, which is a past of the tree; 0 without one. */
  readonly signedSize: number;
  readonly mayMove: boolean;
}

/**
 * Makes the database have all leaves of the tree, at their places.
 *
 * @returns How many leaves of the database have moved behind them.
 * Errors: a database that tells something else than the bundles.
 */
export async function reconcileLeaves(
  store: LeafStore,
  tree: TiledTree,
  { signedSize, mayMove }: Standing,
): Promise<Result<number, Refusal>> {
  const { size } = tree.head;
  const count = await storedCount(store, size);
  const same = await commonCount(store, tree, Math.max(0, Math.min(signedSize, count) - COMPARED), count);
  if (!same.ok) return same;
  if (same.value === count) {
    const imported = await importFrom(store, tree, count, 0);
    return imported.ok ? ok(0) : imported;
  }
  const others = await leavesFrom(store, same.value);
  // Without a head that the tree extends, nothing says that both are of one history. A rotation names the key before it.
  const isOwn = signedSize > 0 && same.value >= signedSize;
  if (!mayMove || !isOwn || others.some(({ kind }) => kind === "log.keyRotated"))
    return halted(
      `The database contradicts the log: entry ${same.value} is another. It is of another history. Restore database and data folder from one backup.`,
    );
  const imported = await importFrom(store, tree, same.value, others.length);
  return imported.ok ? ok(others.length) : imported;
}

/** How many leaves are the same in both, up to `end`. What is the same at `begin` is the same before. */
async function commonCount(
  store: LeafStore,
  tree: TiledTree,
  begin: number,
  end: number,
): Promise<Result<number, Refusal>> {
  for (let from = begin; from < end; from += COMPARED) {
    const until = Math.min(end, from + COMPARED);
    const leaves = await tree.leaves(from, until);
    if (!leaves.ok) return damaged(leaves.error);
    const rows = await store.leavesAfter(from, until - from);
    for (const [index, leaf] of leaves.value.entries()) {
      const row = rows[index];
      if (row === undefined || !equalBytes(leaf, encodeLeaf(row.kind, row.at, row.body)))
        return ok(from + index);
    }
  }
  return ok(end);
}

/** All leaves of the database after the first `size`. */
async function leavesFrom(store: LeafStore, size: number): Promise<readonly StagedLeaf[]> {
  const found: StagedLeaf[] = [];
  for (;;) {
    const next = await store.leavesAfter(size + found.length, COMPARED);
    if (next.length === 0) return found;
    found.push(...next);
  }
}

/** Each step leaves the tree's own leaves first, without a gap, so that a start after a kill goes on from there. */
async function importFrom(
  store: LeafStore,
  tree: TiledTree,
  begin: number,
  displacedCount: number,
): Promise<Result<undefined, Refusal>> {
  const { size } = tree.head;
  for (let from = begin; from < size; from += TILE_WIDTH) {
    const lost = await tree.leaves(from, Math.min(size, from + TILE_WIDTH));
    if (!lost.ok) return damaged(lost.error);
    const staged: StagedLeaf[] = [];
    for (const [index, bytes] of lost.value.entries()) {
      const leaf = parseWrittenLeaf(bytes);
      if (!leaf.ok) return halted(`Entry ${from + index} of the log cannot be read: ${leaf.error.sentence}`);
      const { kind, at, body } = leaf.value;
      staged.push({ sequence: from + index + 1, kind, at, body });
    }
    await store.importLeaves(staged, displacedCount);
  }
  return ok(undefined);
}

/** How many of the first `size` leaves the database has. They have no gaps. */
async function storedCount(store: LeafStore, size: number): Promise<number> {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const has = (await store.leavesAfter(middle - 1, 1))[0]?.sequence === middle;
    if (has) low = middle;
    else high = middle - 1;
  }
  return low;
}
