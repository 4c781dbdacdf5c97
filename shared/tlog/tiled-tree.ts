import { merkleLeafHash } from "../crypto/merkle.ts";
import { assert, present } from "../kernel/assert.ts";
import { type Bytes, equalBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { TreeEdge } from "./grow.ts";
import { countAt, decodeBundle, TILE_HEIGHT, TILE_WIDTH, type TileName, tileOf, tilePath } from "./tiles.ts";
import {
  consistencyPath,
  inclusionPath,
  type NodeReader,
  subtreeRows,
  type TreeHead,
  treeRoot,
} from "./tree.ts";

/** The bytes of a tile or a bundle by its path; null if there is none. May reject if it cannot be known. */
export type TileReader = (path: string) => Promise<Bytes | null>;

/**
 * A log as a checkpoint describes it, read from tiles that nobody has to trust: what does not hash up to the checkpoint's root
 * is an error and never part of an answer.
 *
 * The growing tiles of all levels together make the root, and every full tile is a hash in the tile above. So each tile is
 * checked when it is read, by at most one read a level.
 */
export interface TiledTree {
  readonly head: TreeHead;
  readonly node: NodeReader;
  /** As `node`, of which a tile that is damaged or gone ends in an exception. */
  hash(level: number, index: number): Promise<Result<Bytes, TileError>>;
  inclusion(index: number): Promise<Result<readonly Bytes[], TileError>>;
  /** From a tree of `earlier` leaves, at most `head.size`. */
  consistency(earlier: number): Promise<Result<readonly Bytes[], TileError>>;
  /** Leaves `begin` to `end`, `end` not included, at most `head.size`. */
  leaves(begin: number, end: number): Promise<Result<readonly Bytes[], TileError>>;
  /** Where the log goes on. */
  edge(): Promise<Result<TreeEdge, TileError>>;
  /** The root of the first `size` leaves, at most `head.size`. */
  rootAt(size: number): Promise<Result<Bytes, TileError>>;
}

export type TileError =
  | { readonly type: "no-tile"; readonly path: string }
  /** Its length is wrong, or it does not hash up to the root. */
  | { readonly type: "wrong-tile"; readonly path: string };

/** Ends a walk over tiles; `guarded` turns it into a result. */
class TileFault extends Error {
  readonly trouble: TileError;
  constructor(trouble: TileError) {
    super(`${trouble.type} ${trouble.path}`);
    this.trouble = trouble;
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<Result<T, TileError>> {
  try {
    return ok(await work());
  } catch (error) {
    if (error instanceof TileFault) return err(error.trouble);
    throw error;
  }
}

/**
 * Opens the tree of a checkpoint and checks its growing tiles.
 *
 * @param head  From a checkpoint whose signature holds.
 */
export async function openTiledTree(
  primitives: Primitives,
  head: TreeHead,
  read: TileReader,
): Promise<Result<TiledTree, TileError>> {
  const tiles = new Tiles(primitives, head, read);
  const node: NodeReader = (level, index) => tiles.node(level, index);
  const opened = await guarded(() => tiles.checkEdge());
  if (!opened.ok) return opened;
  return ok({
    head,
    node,
    hash: (level, index) => guarded(() => node(level, index)),
    inclusion: (index) => guarded(() => inclusionPath(primitives, node, index, head.size)),
    consistency: (earlier) => guarded(() => consistencyPath(primitives, node, earlier, head.size)),
    leaves: (begin, end) => guarded(() => tiles.leaves(begin, end)),
    edge: () => guarded(() => tiles.edge()),
    rootAt: (size) => guarded(() => treeRoot(primitives, node, size)),
  });
}

type Rows = readonly (readonly Bytes[])[];

/** With its 511 hashes a tile takes about 60 kB, and a coordinator keeps dozens of trees open. */
const FULL_TILE_COUNT_MAX = 32;

class Tiles {
  readonly #primitives: Primitives;
  readonly #head: TreeHead;
  readonly #read: TileReader;
  /**
   * Of the growing edge, by path. `checkEdge` has checked them together, so they are never read again. As `subtreeRows` gives
   * them.
   */
  readonly #growing = new Map<string, Promise<Rows>>();
  /** Full ones, by path, the latest last. Each is checked when it is read, so one that is dropped may be read again. */
  readonly #full = new Map<string, Promise<Rows>>();

  constructor(primitives: Primitives, head: TreeHead, read: TileReader) {
    this.#primitives = primitives;
    this.#head = head;
    this.#read = read;
  }

  /** All reads rest on the growing tiles, and only together do they make the root. */
  async checkEdge(): Promise<void> {
    const { size, root } = this.#head;
    const edge = await treeRoot(this.#primitives, (level, index) => this.node(level, index), size);
    if (equalBytes(edge, root)) return;
    const last = tileOf(0, Math.max(0, size - 1), size);
    throw new TileFault({ type: "wrong-tile", path: size === 0 ? "checkpoint" : tilePath(last) });
  }

  async edge(): Promise<TreeEdge> {
    const { size } = this.#head;
    const begin = size - (size % TILE_WIDTH);
    const levels: (readonly Bytes[])[] = [];
    for (let level = 0; countAt(level, size) > 0; level++) {
      const count = countAt(level, size);
      levels.push(count % TILE_WIDTH === 0 ? [] : await this.#hashes(tileOf(level, count - 1, size)));
    }
    return { size, levels, leaves: await this.leaves(begin, size) };
  }

  async node(level: number, index: number): Promise<Bytes> {
    const count = 2 ** (level % TILE_HEIGHT);
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const name = tileOf(tileLevel, index * count, this.#head.size);
    assert(name.width > 0, `no node ${index} at level ${level}`);
    const row = (await this.#tile(name))[level % TILE_HEIGHT];
    return present(row?.[index - (name.index * TILE_WIDTH) / count], `node ${index} at level ${level}`);
  }

  async #hashes(name: TileName): Promise<readonly Bytes[]> {
    return present((await this.#tile(name))[0], "a tile has hashes");
  }

  #tile(name: TileName): Promise<Rows> {
    const path = tilePath(name);
    const kept = name.width < TILE_WIDTH ? this.#growing : this.#full;
    const known = kept.get(path);
    const tile = known ?? this.#readTile(name, path);
    // What could not be read may be read later.
    if (known === undefined) tile.catch(() => kept.delete(path));
    kept.delete(path);
    kept.set(path, tile);
    const [oldest] = this.#full.keys();
    if (this.#full.size > FULL_TILE_COUNT_MAX && oldest !== undefined) this.#full.delete(oldest);
    return tile;
  }

  async #readTile(name: TileName, path: string): Promise<Rows> {
    const bytes = await this.#bytesOf(name, path);
    // A full tile is read where the growing one is gone.
    const isWhole = bytes.length === 32 * name.width || bytes.length === 32 * TILE_WIDTH;
    if (!isWhole) throw new TileFault({ type: "wrong-tile", path });
    const hashes = Array.from({ length: name.width }, (_, index) => bytes.slice(32 * index, 32 * index + 32));
    const { level, index } = name;
    const rows = await subtreeRows(this.#primitives, hashes);
    const top = rows[TILE_HEIGHT]?.[0];
    if (level === "entries" || top === undefined) return rows;
    assert(index < countAt(level + 1, this.#head.size), "a full tile has its hash above");
    const above = await this.node((level + 1) * TILE_HEIGHT, index);
    if (!equalBytes(top, above)) throw new TileFault({ type: "wrong-tile", path });
    return rows;
  }

  async #bytesOf(name: TileName, path: string): Promise<Bytes> {
    const bytes = await this.#read(path);
    if (bytes !== null) return bytes;
    const full = name.width < TILE_WIDTH ? await this.#read(tilePath({ ...name, width: TILE_WIDTH })) : null;
    if (full === null) throw new TileFault({ type: "no-tile", path });
    return full;
  }

  async leaves(begin: number, end: number): Promise<readonly Bytes[]> {
    const { size } = this.#head;
    assert(begin >= 0 && begin <= end && end <= size, `no leaves ${begin} to ${end} of ${size}`);
    const leaves: Bytes[] = [];
    for (let index = begin; index < end; ) {
      const name = tileOf("entries", index, size);
      const first = name.index * TILE_WIDTH;
      const bundle = await this.#bundle(name);
      leaves.push(...bundle.slice(index - first, end - first));
      index = first + name.width;
    }
    return leaves;
  }

  async #bundle(name: TileName): Promise<readonly Bytes[]> {
    const path = tilePath(name);
    const wrong = { type: "wrong-tile", path } as const;
    const bytes = await this.#bytesOf(name, path);
    const exact = decodeBundle(bytes, name.width);
    const decoded = exact.ok ? exact : decodeBundle(bytes, TILE_WIDTH);
    if (!decoded.ok) throw new TileFault(wrong);
    const leaves = decoded.value.slice(0, name.width);
    const hashes = await this.#hashes({ ...name, level: 0 });
    for (const [index, leaf] of leaves.entries()) {
      const hash = await merkleLeafHash(this.#primitives, leaf);
      if (!equalBytes(hash, present(hashes[index], "as many hashes as leaves"))) throw new TileFault(wrong);
    }
    return leaves;
  }
}
