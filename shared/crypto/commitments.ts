import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { DOMAINS } from "./domains.ts";
import { E } from "./encode.ts";

/*
 * The hashes that devices commit with and are bound to, each SHA-256 of an `E(...)` under its own domain.
 * Does not protect: a hash hides only what cannot be guessed. Secrets and shares here have 256 bits; bitmaps and
 * adverts are public anyway.
 */

/** Commits a device to its self-mask secret before anyone holds a share of it; whoever rebuilds b checks it here. */
export function bCommit(primitives: Primitives, identityKey: Bytes, b: Bytes): Promise<Bytes> {
  assert(b.length === 32, "a self-mask secret has 32 bytes");
  return primitives.sha256(E(DOMAINS.bCommit, identityKey, b));
}

/** The session id: header and all adverts in roster order. `adverts` are the `E("chorus/1/advert", ...)` bytes. */
export function sessionId(primitives: Primitives, header: Bytes, adverts: readonly Bytes[]): Promise<Bytes> {
  return primitives.sha256(sessionItem(header, adverts));
}

/** What the session id is the hash of. */
export function sessionItem(header: Bytes, adverts: readonly Bytes[]): Bytes {
  return E(DOMAINS.sid, header, ...adverts);
}

/** Commits to a set of positions within one session; `bitmap` as `positionsToBitmap` writes it. */
export function setHash(primitives: Primitives, sid: Bytes, bitmap: Bytes): Promise<Bytes> {
  return primitives.sha256(E(DOMAINS.set, sid, bitmap));
}

/** Commits the dealer `u` to the share of `z` or of `b` that it gave to the holder `v`. */
export function shareCommit(
  primitives: Primitives,
  kind: "z" | "b",
  sid: Bytes,
  u: number,
  v: number,
  share: Bytes,
): Promise<Bytes> {
  const domain = kind === "z" ? DOMAINS.zShareCommit : DOMAINS.bShareCommit;
  return primitives.sha256(E(domain, sid, u, v, share));
}
