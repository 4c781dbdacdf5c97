import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { DOMAINS } from "./domains.ts";
import { E } from "./encode.ts";

/*
 * The hashes that devices commit with and are bound to. Each is SHA-256 of an `E(...)` under its own domain.
 * Does not hide what can be guessed. Secrets and shares here have 256 bits; bitmaps and adverts are public anyway.
 */

/** Commits a device to its self-mask secret before anyone holds a share of it. Whoever rebuilds b checks it against this. */
export function bCommit(primitives: Primitives, identityKey: Bytes, b: Bytes): Promise<Bytes> {
  assert(b.length === 32, "a self-mask secret has 32 bytes");
  return primitives.sha256(E(DOMAINS.bCommit, identityKey, b));
}

/** The session id: hash of the header and of all adverts (`E("chorus/1/advert", ...)`) in roster order. */
export function sessionId(primitives: Primitives, header: Bytes, adverts: readonly Bytes[]): Promise<Bytes> {
  return primitives.sha256(sessionItem(header, adverts));
}

/** The preimage of the session id. */
export function sessionItem(header: Bytes, adverts: readonly Bytes[]): Bytes {
  return E(DOMAINS.sid, header, ...adverts);
}

/** Commits to a set of positions within one session. `bitmap` comes from `positionsToBitmap`. */
export function setHash(primitives: Primitives, sid: Bytes, bitmap: Bytes): Promise<Bytes> {
  return primitives.sha256(E(DOMAINS.set, sid, bitmap));
}

/** Commits dealer `u` to the share of `z` or `b` that it gave to holder `v`. */
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
