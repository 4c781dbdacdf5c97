import { merkleLeafHash } from "../crypto/merkle.ts";
import { present } from "../kernel/assert.ts";
import { type Bytes, concatBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { countAt, encodeBundle, TILE_HEIGHT, TILE_WIDTH, type TileName, tilePath } from "./tiles.ts";
import { type NodeReader, subtreeHash, type TreeHead, treeRoot } from "./tree.ts";

/** All that is needed to add leaves to a log: its growing tiles. */
export interface TreeEdge {
  readonly size: number;
  /** The hashes of the growing tile of each level, fewer than 256; empty if the newest tile is full. */
  readonly levels: readonly (readonly Bytes[])[];
  /** The leaves of the growing bundle, fewer than 256. */
  readonly leaves: readonly Bytes[];
}

export const EMPTY_EDGE: TreeEdge = { size: 0, levels: [], leaves: [] };

export interface LogFile {
  readonly path: string;
  readonly bytes: Bytes;
}

export interface Growth {
  readonly edge: TreeEdge;
  readonly head: TreeHead;
  /** Tiles and bundles that are new, all of which must be durable before the head is signed. */
  readonly files: readonly LogFile[];
}

/** Adds leaves at the end of a log. Reads nothing, and costs about two hashes a leaf. */
export async function grow(
  primitives: Pick<Primitives, "sha256">,
  edge: TreeEdge,
  leaves: readonly Bytes[],
): Promise<Growth> {
  const size = edge.size + leaves.length;
  const bundles = cut(edge.leaves, leaves);
  const files = bundles.chunks.map((chunk, index) =>
    fileOf(
      { level: "entries", index: Math.floor(edge.size / TILE_WIDTH) + index, width: chunk.length },
      encodeBundle(chunk),
    ),
  );
  const levels: (readonly Bytes[])[] = [];
  let added = await Promise.all(leaves.map((leaf) => merkleLeafHash(primitives, leaf)));
  for (let level = 0; added.length > 0 || level < edge.levels.length; level++) {
    const { chunks, rest } = cut(edge.levels[level] ?? [], added);
    levels.push(rest);
    const first = Math.floor(countAt(level, edge.size) / TILE_WIDTH);
    for (const [index, chunk] of chunks.entries())
      files.push(fileOf({ level, index: first + index, width: chunk.length }, concatBytes(chunk)));
    const full = chunks.filter((chunk) => chunk.length === TILE_WIDTH);
    added = await Promise.all(full.map((chunk) => subtreeHash(primitives, chunk)));
  }
  const grown: TreeEdge = { size, levels, leaves: bundles.rest };
  return { edge: grown, head: await headOf(primitives, grown), files };
}

/** Size and root of a log that ends with `edge`. */
export async function headOf(primitives: Pick<Primitives, "sha256">, edge: TreeEdge): Promise<TreeHead> {
  const node: NodeReader = async (level, index) => {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const count = 2 ** (level % TILE_HEIGHT);
    const begin = (index * count) % TILE_WIDTH;
    const hashes = present(edge.levels[tileLevel], "the edge has its levels");
    return subtreeHash(primitives, hashes.slice(begin, begin + count));
  };
  return { size: edge.size, root: await treeRoot(primitives, node, edge.size) };
}

function fileOf(name: TileName, bytes: Bytes): LogFile {
  return { path: tilePath(name), bytes };
}

/** Cuts what was there and what is new into tiles. `rest` is the last chunk, unless that is full. */
function cut<T>(
  before: readonly T[],
  added: readonly T[],
): { readonly chunks: readonly (readonly T[])[]; readonly rest: readonly T[] } {
  if (added.length === 0) return { chunks: [], rest: before };
  const all = [...before, ...added];
  const chunks: T[][] = [];
  for (let begin = 0; begin < all.length; begin += TILE_WIDTH)
    chunks.push(all.slice(begin, begin + TILE_WIDTH));
  const last = chunks.at(-1) ?? [];
  return { chunks, rest: last.length === TILE_WIDTH ? [] : last };
}
