/**
 * Expected trouble as data (a peer, a network, a user's file). Programmer faults throw through `assert`.
 *
 * Each function defines its own tagged union of errors right under it, so that a caller's switch is exhaustive.
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
