/** Thrown when this program is at fault. A peer's bytes must never cause it. */
export class AssertionFault extends Error {
  override readonly name = "AssertionFault";
}

/**
 * Runs in production too: a program whose invariant is broken must stop before it opens a sum.
 *
 * @throws AssertionFault when `condition` is false.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFault(message);
}

/** Returns `value`, which is missing only if this program is at fault. @throws AssertionFault */
export function present<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new AssertionFault(message);
  return value;
}

/** The default branch of an exhaustive switch: does not compile if a member of the union is not handled. */
export function unreachable(value: never): never {
  throw new AssertionFault(`unreachable: ${String(value)}`);
}
