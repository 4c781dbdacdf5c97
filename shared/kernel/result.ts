/**
 * Expected trouble (a peer, a network, a user's file) as data. Our own faults throw through `assert`.
 *
 * Each function defines its tagged union of errors right under it, so that a caller's switch can be exhaustive.
 */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function err<const E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}
