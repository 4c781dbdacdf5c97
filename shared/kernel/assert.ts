/** Thrown where this program, not a peer, is at fault. Never raised on a peer's bytes. */
export class AssertionFault extends Error {
  override readonly name = "AssertionFault";
}

/**
 * Holds in production too: a program that has lost an invariant stops before it opens a sum.
 *
 * @throws AssertionFault when `condition` is false.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFault(message);
}

/** The value, where its absence is a fault of this program. @throws AssertionFault */
export function present<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new AssertionFault(message);
  return value;
}

/** Closes a switch: a new member of a union fails to compile here. */
export function unreachable(value: never): never {
  throw new AssertionFault(`unreachable: ${String(value)}`);
}
