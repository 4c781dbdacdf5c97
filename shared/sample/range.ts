import { assert } from "../kernel/assert.ts";

/** A value that fewer rows have could point at a person, so no limit stands on it and no category is made of it. */
export const FEW_ROWS = 5;

export interface Extremes {
  /** Finite, `least` <= `greatest`. */
  readonly least: number;
  readonly greatest: number;
  /** How many rows have exactly the least value, and exactly the greatest. */
  readonly leastRows: number;
  readonly greatestRows: number;
  /** True if all values are whole. */
  readonly isWhole: boolean;
}

/** Limits that come from what is measured, not from a person: nothing, all, and a hundred per cent. */
const NATURAL_LIMITS: ReadonlySet<number> = new Set([0, 1, 100]);

/** Below this, steps of a range would be too small for a double. */
const SPAN_MIN = 1e-200;
/** Limits have twelve digits, so steps of a smaller share of the values would be lost in them. */
const SPAN_SHARE_MIN = 1e-9;

/**
 * A range of round numbers around all values. It becomes public, so a limit lies outside the values unless FEW_ROWS rows or
 * more have it, or it is natural: 0, 1 or 100. Ranges of values from 0 on never go below 0.
 *
 * @returns Two numbers, the first below the second, both multiples of the same round step.
 */
export function roundedOutward(extremes: Extremes): [number, number] {
  const { least, greatest, leastRows, greatestRows, isWhole } = extremes;
  assert(Number.isFinite(greatest - least) && least <= greatest, "extremes are finite and in order");
  const size = Math.max(Math.abs(least), Math.abs(greatest));
  const span = Math.max(greatest - least || size || 1, SPAN_MIN, SPAN_SHARE_MIN * size);
  const step = Math.max(roundStep(span / 10), isWhole ? 1 : 0);
  let from = multipleOf(step, Math.floor(quotient(least, step)));
  let to = multipleOf(step, Math.ceil(quotient(greatest, step)));
  if (from > least) from = least;
  if (to < greatest) to = greatest;
  if (from === least && leastRows < FEW_ROWS && !NATURAL_LIMITS.has(from)) from = near(from, step, -1);
  if (to === greatest && greatestRows < FEW_ROWS && !NATURAL_LIMITS.has(to)) to = near(to, step, 1);
  if (least >= 0 && from < 0) from = 0;
  return from < to ? [from, to] : [from, near(to, step, 1)];
}

/** The least of 1, 2, 5 and 10 times a power of ten that is at least `size`. */
function roundStep(size: number): number {
  const exponent = Math.floor(Math.log10(size));
  const power = 10 ** exponent;
  const factor = size / power;
  // Powers of ten are inexact, so 1 may come out as 1.0000000000000002.
  const nearly = 1 + 1e-9;
  const chosen = factor <= nearly ? 1 : factor <= 2 * nearly ? 2 : factor <= 5 * nearly ? 5 : 10;
  return Number(`${chosen}e${exponent}`);
}

/** value / step, without the error that would put a multiple of the step beside itself. */
function quotient(value: number, step: number): number {
  const exact = value / step;
  const whole = Math.round(exact);
  return Math.abs(exact - whole) < 1e-9 * Math.max(1, Math.abs(exact)) ? whole : exact;
}

/** step * count in as few digits as the step has: 0.1 * 3 is 0.3. */
function multipleOf(step: number, count: number): number {
  return Number((step * count).toPrecision(12));
}

function near(limit: number, step: number, direction: 1 | -1): number {
  return multipleOf(step, Math.round(limit / step) + direction);
}
