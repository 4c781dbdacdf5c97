import { assert } from "./assert.ts";

/** Number of elements of a tensor; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    assert(Number.isSafeInteger(size) && size >= 1, `a dimension of ${size}`);
    count *= size;
  }
  assert(Number.isSafeInteger(count), "a tensor that no memory holds");
  return count;
}
