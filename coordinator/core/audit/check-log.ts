import type { Primitives } from "#shared/kernel/ports.ts";
import { openTiledTree, type TileError } from "#shared/tlog/tiled-tree.ts";
import { TILE_WIDTH } from "#shared/tlog/tiles.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import type { LogFiles } from "../ports/public-log.ts";

/** Leaves that are checked under one open tree, which keeps what it has read. */
const STEP = 64 * TILE_WIDTH;

/**
 * Reads the whole log: every leaf, bundle and tile that a tree of this head has.
 *
 * @returns The first file that is damaged or gone; null if all are whole.
 */
export async function checkLog(
  { primitives, files }: { readonly primitives: Primitives; readonly files: Pick<LogFiles, "read"> },
  head: TreeHead,
): Promise<TileError | null> {
  let begin = 0;
  do {
    const tree = await openTiledTree(primitives, head, (path) => files.read(path));
    if (!tree.ok) return tree.error;
    for (const end = Math.min(head.size, begin + STEP); begin < end; begin += TILE_WIDTH) {
      const leaves = await tree.value.leaves(begin, Math.min(end, begin + TILE_WIDTH));
      if (!leaves.ok) return leaves.error;
    }
  } while (begin < head.size);
  return null;
}
