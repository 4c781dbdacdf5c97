import { LEAF_PREFIX, NODE_PREFIX } from "#shared/crypto/merkle.ts";
import { concatBytes, equalBytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { openTiledTree, type TiledTree, type TileError } from "#shared/tlog/tiled-tree.ts";
import { decodeBundle, LEAF_BYTE_COUNT_MAX, TILE_HEIGHT, TILE_WIDTH, tilePath } from "#shared/tlog/tiles.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import type { LogFiles } from "../ports/public-log.ts";

/** Leaves that are checked under one open tree, which keeps what it has read. */
const STEP = 64 * TILE_WIDTH;

interface CheckPorts {
  readonly primitives: Primitives;
  readonly files: Pick<LogFiles, "read">;
  /** SHA-256 in the calling thread: two million promises take longer than as many hashes. */
  readonly hashNow?: (bytes: Uint8Array) => Uint8Array;
}

/**
 * Reads the whole log: every leaf, bundle and tile that a tree of this head has.
 *
 * @returns The first file that is damaged or gone; null if all are whole.
 */
export async function checkLog(ports: CheckPorts, head: TreeHead): Promise<TileError | null> {
  const { primitives, files } = ports;
  let begin = 0;
  do {
    const tree = await openTiledTree(primitives, head, (path) => files.read(path));
    if (!tree.ok) return tree.error;
    for (const end = Math.min(head.size, begin + STEP); begin < end; begin += TILE_WIDTH) {
      const isWhole = await isWholeBundle(ports, tree.value, begin / TILE_WIDTH);
      if (!isWhole.ok) return isWhole.error;
      if (isWhole.value) continue;
      // The tree knows which file it is.
      const leaves = await tree.value.leaves(begin, Math.min(end, begin + TILE_WIDTH));
      if (!leaves.ok) return leaves.error;
    }
  } while (begin < head.size);
  return null;
}

const leafInput = new Uint8Array(1 + LEAF_BYTE_COUNT_MAX);
const nodeInput = concatBytes([NODE_PREFIX, new Uint8Array(64)]);

/** True if a full bundle and its tile hash up to the tile above, which the tree has checked; false if that is not known. */
async function isWholeBundle(
  { files, hashNow }: CheckPorts,
  tree: TiledTree,
  index: number,
): Promise<Result<boolean, TileError>> {
  if (hashNow === undefined || (index + 1) * TILE_WIDTH > tree.head.size) return ok(false);
  const above = await tree.hash(TILE_HEIGHT, index);
  if (!above.ok) return above;
  const bundle = await files.read(tilePath({ level: "entries", index, width: TILE_WIDTH }));
  const tile = await files.read(tilePath({ level: 0, index, width: TILE_WIDTH }));
  const leaves = bundle === null ? null : decodeBundle(bundle, TILE_WIDTH);
  if (tile === null || leaves?.ok !== true) return ok(false);
  const hashes = new Uint8Array(32 * TILE_WIDTH);
  leafInput.set(LEAF_PREFIX);
  for (const [at, leaf] of leaves.value.entries()) {
    leafInput.set(leaf, 1);
    hashes.set(hashNow(leafInput.subarray(0, 1 + leaf.length)), 32 * at);
  }
  if (!equalBytes(hashes, tile)) return ok(false);
  for (let count = TILE_WIDTH / 2; count >= 1; count /= 2) {
    for (let parent = 0; parent < count; parent++) {
      nodeInput.set(hashes.subarray(64 * parent, 64 * parent + 64), 1);
      hashes.set(hashNow(nodeInput), 32 * parent);
    }
  }
  return ok(equalBytes(hashes.subarray(0, 32), above.value));
}
