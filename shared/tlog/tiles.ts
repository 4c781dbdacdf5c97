import { assert } from "../kernel/assert.ts";
import { type Bytes, concatBytes } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";

/*
 * How a log is cut into files.
 *
 *     tile/LEVEL/INDEX          256 hashes of 32 bytes; one of level L stands for 256^L leaves
 *     tile/LEVEL/INDEX.p/WIDTH  the same with fewer, 1 to 255 hashes, at the growing end of the log
 *     tile/entries/INDEX        256 leaves, each after its length as two bytes, big-endian
 *
 * INDEX is written in threes, all but the last with an x: 1234067 is x001/x234/067.
 *
 * Source: c2sp.org/tlog-tiles.
 */

/** Hashes of a full tile, and leaves of a full bundle. */
export const TILE_WIDTH = 256;
/** Rows of the tree that one level of tiles spans. */
export const TILE_HEIGHT = 8;
/** A leaf's length is two bytes. */
export const LEAF_BYTE_COUNT_MAX = 65_535;
/** 256^7 is more leaves than a number can count. */
const LEVEL_MAX = 6;

export interface TileName {
  readonly level: number | "entries";
  readonly index: number;
  /** 1 to 256. */
  readonly width: number;
}

export function tilePath({ level, index, width }: TileName): string {
  assert(Number.isSafeInteger(index) && index >= 0, `no tile ${index}`);
  assert(Number.isInteger(width) && width >= 1 && width <= TILE_WIDTH, `no width ${width}`);
  let digits = String(index);
  digits = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const threes = digits.replaceAll(/\d{3}(?=\d)/g, "x$&/");
  return `tile/${level}/${threes}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

/** Returns undefined if `path` names no tile, or not in its one form. */
export function parseTilePath(path: string): TileName | undefined {
  const match = /^tile\/(entries|\d)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  const [, levelText = "", threes = "", widthText] = match ?? [];
  if (match === null) return undefined;
  const name: TileName = {
    level: levelText === "entries" ? "entries" : Number(levelText),
    index: Number(threes.replaceAll(/[x/]/g, "")),
    width: widthText === undefined ? TILE_WIDTH : Number(widthText),
  };
  if (name.level !== "entries" && name.level > LEVEL_MAX) return undefined;
  if (!Number.isSafeInteger(name.index) || name.width > TILE_WIDTH) return undefined;
  return tilePath(name) === path ? name : undefined;
}

/** The tile that holds hash `index` of its level in a tree of `size` leaves. */
export function tileOf(level: number | "entries", index: number, size: number): TileName {
  const ofLevel = level === "entries" ? size : countAt(level, size);
  const tile = Math.floor(index / TILE_WIDTH);
  return { level, index: tile, width: Math.min(TILE_WIDTH, ofLevel - tile * TILE_WIDTH) };
}

/** How many hashes level `level` of the tiles has in a tree of `size` leaves. */
export function countAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** True if a tree of `size` leaves has all that this tile or bundle holds. */
export function hasTile(size: number, { level, index, width }: TileName): boolean {
  const ofLevel = level === "entries" ? size : countAt(level, size);
  return index * TILE_WIDTH + width <= ofLevel;
}

/**
 * The tiles and bundles that a log of `size` leaves has beyond one of `earlier`: what must be written before its checkpoint is
 * published. The growing tile of each level is among them if it grew.
 */
export function newTiles(earlier: number, size: number): TileName[] {
  const names: TileName[] = [];
  for (const level of ["entries", 0, 1, 2, 3, 4, 5, 6] as const) {
    const [before, after] =
      level === "entries" ? [earlier, size] : [countAt(level, earlier), countAt(level, size)];
    if (after === before) break;
    for (let tile = Math.floor(before / TILE_WIDTH); tile * TILE_WIDTH < after; tile++)
      names.push(tileOf(level, tile * TILE_WIDTH, size));
  }
  return names;
}

export function encodeBundle(leaves: readonly Bytes[]): Bytes {
  return concatBytes(
    leaves.flatMap((leaf) => {
      assert(leaf.length <= LEAF_BYTE_COUNT_MAX, `a leaf of ${leaf.length} bytes`);
      return [Uint8Array.of(leaf.length >>> 8, leaf.length & 255), leaf];
    }),
  );
}

/**
 * @param width  How many leaves the bundle must have.
 * @returns Views of `bytes`.
 */
export function decodeBundle(bytes: Bytes, width: number): Result<readonly Bytes[], BundleError> {
  const leaves: Bytes[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const begin = offset + 2;
    const end = begin + (bytes[offset] ?? 0) * 256 + (bytes[offset + 1] ?? 0);
    if (end > bytes.length || leaves.length === width) return err({ type: "bad-bundle" });
    leaves.push(bytes.subarray(begin, end));
    offset = end;
  }
  return leaves.length === width ? ok(leaves) : err({ type: "bad-bundle" });
}

/** The growing tile or bundle that became `full`, as long as it was; null if `full` is none. */
export function cutTile(full: Bytes, { level, width }: TileName): Bytes | null {
  if (level !== "entries") return full.length === 32 * TILE_WIDTH ? full.slice(0, 32 * width) : null;
  const leaves = decodeBundle(full, TILE_WIDTH);
  return leaves.ok ? encodeBundle(leaves.value.slice(0, width)) : null;
}

export interface BundleError {
  readonly type: "bad-bundle";
}
