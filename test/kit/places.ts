import type { Position, Seat } from "#shared/kernel/places.ts";

/** A position, given as a plain number in tests. */
export function positionNo(value: number): Position {
  return value as Position;
}

/** A seat, given as a plain number in tests. */
export function seatNo(value: number): Seat {
  return value as Seat;
}
