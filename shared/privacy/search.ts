import { assert } from "../kernel/assert.ts";

/**
 * The point above `from` at which a non-decreasing function passes from below 0 to at least 0, to the last bits of a
 * double. The result is on the side of at least 0. Infinity if the function stays below 0 up to `from` + 2^20.
 */
export function increasingRoot(value: (x: number) => number, from: number): number {
  let low = from;
  let width = 1;
  let high = from + width;
  while (value(high) < 0) {
    low = high;
    width *= 2;
    if (width > 2 ** 20) return Number.POSITIVE_INFINITY;
    high = from + width;
  }
  for (let turn = 0; turn < 200; turn++) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (value(middle) < 0) low = middle;
    else high = middle;
  }
  return high;
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** The least value of a function with one valley on [low, high], by golden section. */
export function valleyMin(value: (x: number) => number, low: number, high: number): number {
  assert(low < high, "an interval has a positive length");
  let [a, b] = [low, high];
  let left = b - GOLDEN * (b - a);
  let right = a + GOLDEN * (b - a);
  let atLeft = value(left);
  let atRight = value(right);
  for (let turn = 0; turn < 100; turn++) {
    if (atLeft <= atRight) {
      b = right;
      [right, atRight] = [left, atLeft];
      left = b - GOLDEN * (b - a);
      atLeft = value(left);
    } else {
      a = left;
      [left, atLeft] = [right, atRight];
      right = a + GOLDEN * (b - a);
      atRight = value(right);
    }
  }
  return Math.min(atLeft, atRight);
}
