import { setHash } from "../crypto/commitments.ts";
import { type BitmapError, bitmapToPositions, positionsToBitmap } from "../crypto/position-set.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok, type Result } from "../kernel/result.ts";

/** A set of roster positions in three forms: to work with, to send and to sign. */
export interface PositionSet {
  /** Ascending. */
  readonly positions: readonly Position[];
  readonly bitmap: Bytes;
  /** SHA-256(E(set, sid, bitmap)). */
  readonly hash: Bytes;
}

/** U2 and U3 of one session. */
export interface SessionSets {
  readonly u2: PositionSet;
  readonly u3: PositionSet;
}

interface SessionRoster {
  readonly sid: Bytes;
  readonly members: readonly unknown[];
}

/** @param positions  In any order. @throws AssertionFault on a position that is not in the roster. */
export async function setOfPositions(
  primitives: Primitives,
  session: SessionRoster,
  positions: Iterable<Position>,
): Promise<PositionSet> {
  const ascending = [...new Set(positions)].sort((left, right) => left - right);
  const bitmap = positionsToBitmap(ascending, session.members.length);
  return { positions: ascending, bitmap, hash: await setHash(primitives, session.sid, bitmap) };
}

/** Reads a peer's bitmap. */
export async function setOfBitmap(
  primitives: Primitives,
  session: SessionRoster,
  bitmap: Bytes,
): Promise<Result<PositionSet, BitmapError>> {
  const positions = bitmapToPositions(bitmap, session.members.length);
  if (!positions.ok) return positions;
  return ok({ positions: positions.value, bitmap, hash: await setHash(primitives, session.sid, bitmap) });
}

/** Ascending members of `left` that are not in `right`. */
export function without(left: PositionSet, right: PositionSet): readonly Position[] {
  const excluded = new Set(right.positions);
  return left.positions.filter((position) => !excluded.has(position));
}
