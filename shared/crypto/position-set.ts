import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import { type Position, positionAtIndex } from "../kernel/places.ts";
import { err, ok, type Result } from "../kernel/result.ts";

/**
 * A set of roster positions (1-based) as a bitmap, the only form in which sets are hashed and sent.
 *
 * | position p | bit (p - 1) mod 8, least significant first, of byte floor((p - 1) / 8) |
 * | ---------- | ---------------------------------------------------------------------- |
 * | padding    | zero                                                                   |
 *
 * Each set has exactly one bitmap, so devices that hold the same set always sign the same bytes.
 */
export function positionsToBitmap(positions: Iterable<Position>, rosterSize: number): Bytes {
  const bitmap = new Uint8Array(Math.ceil(rosterSize / 8));
  for (const position of positions) {
    assert(Number.isInteger(position) && position >= 1 && position <= rosterSize, `no position ${position}`);
    const byte = (position - 1) >>> 3;
    bitmap[byte] = (bitmap[byte] as number) | (1 << ((position - 1) & 7));
  }
  return bitmap;
}

/** Ascending positions. Errors: `wrong-length`; `padding` if a bit beyond the roster is set. */
export function bitmapToPositions(bitmap: Uint8Array, rosterSize: number): Result<Position[], BitmapError> {
  if (bitmap.length !== Math.ceil(rosterSize / 8)) return err({ type: "wrong-length" });
  const positions: Position[] = [];
  for (let bit = 0; bit < 8 * bitmap.length; bit++) {
    if ((((bitmap[bit >>> 3] as number) >>> (bit & 7)) & 1) === 0) continue;
    if (bit >= rosterSize) return err({ type: "padding" });
    positions.push(positionAtIndex(bit));
  }
  return ok(positions);
}

export type BitmapError = { readonly type: "wrong-length" } | { readonly type: "padding" };
