import type { Brand } from "./brand.ts";

/** 1-based place in the roster of one session, which is sorted by identity key. Messages carry it. */
export type Position = Brand<number, "Position">;

/** 1-based place among all shards of a round, those of shard 0 first. The round machine and its log use seats. */
export type Seat = Brand<number, "Seat">;

/** The position of the entry at this 0-based index of a session's roster. */
export function positionAtIndex(index: number): Position {
  return (index + 1) as Position;
}

/** The seat of the entry at this 0-based index of a round's roster. */
export function seatAtIndex(index: number): Seat {
  return (index + 1) as Seat;
}

/** All positions of a session or, with `seatAtIndex`, all seats of a round. Ascending. */
export function placesOf<Place>(count: number, atIndex: (index: number) => Place): Place[] {
  return Array.from({ length: count }, (_, index) => atIndex(index));
}

/** @param seatsBefore  Number of seats in the shards before this one. */
export function seatOfPosition(position: Position, seatsBefore: number): Seat {
  return (position + seatsBefore) as Seat;
}

/** @param seatsBefore  Number of seats in the shards before this one. `seat` is larger. */
export function positionOfSeat(seat: Seat, seatsBefore: number): Position {
  return (seat - seatsBefore) as Position;
}
