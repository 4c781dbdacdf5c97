import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives, RandomBytes } from "../kernel/ports.ts";
import { DOMAINS } from "./domains.ts";
import { E } from "./encode.ts";

/** An X25519 pair, 32 bytes each. */
export interface AgreementKeyPair {
  readonly secretKey: Bytes;
  readonly publicKey: Bytes;
}

const KEY_BYTES = 32;

/**
 * The key pair behind a device's pair masks, derived from the seed `z` that is shared among its neighbours.
 *
 * The shares are of `z`, not of the key, so that whoever rebuilds it can check it against the advertised public key.
 *
 * @param z  32 random bytes of this attempt.
 * Sources: RFC 5869 (salt of 32 zeros, info E("chorus/1/s-key")), RFC 7748.
 * Does not authenticate: trust no key here until the advert that carries it is verified.
 */
export async function maskKeyPairFromSeed(primitives: Primitives, z: Bytes): Promise<AgreementKeyPair> {
  assert(z.length === KEY_BYTES, "a mask seed has 32 bytes");
  const secretKey = await primitives.hkdfSha256(z, new Uint8Array(32), E(DOMAINS.sKey), KEY_BYTES);
  return { secretKey, publicKey: await primitives.x25519PublicKey(secretKey) };
}

/** A fresh pair for encrypting the shares of one attempt. */
export async function freshKeyPair(
  primitives: Primitives,
  randomBytes: RandomBytes,
): Promise<AgreementKeyPair> {
  const secretKey = randomBytes(KEY_BYTES);
  assert(secretKey.length === KEY_BYTES, "the random source returned another length");
  return { secretKey, publicKey: await primitives.x25519PublicKey(secretKey) };
}

/**
 * Key of the mask that the devices at positions `u` and `v` share. Both derive the same key.
 *
 * @param sharedSecret  X25519(s_u, S_v), 32 bytes.
 * @param sid           32 bytes; binds the key to this attempt, its roster and its configuration.
 */
export function pairMaskKey(
  primitives: Primitives,
  sharedSecret: Bytes,
  sid: Bytes,
  u: number,
  v: number,
): Promise<Bytes> {
  assertPositions(u, v);
  const info = E(DOMAINS.pairMask, Math.min(u, v), Math.max(u, v));
  return primitives.hkdfSha256(sharedSecret, sid, info, KEY_BYTES);
}

/** The sign with which the device at position `u` adds the mask it shares with `v`. The two signs cancel. */
export function pairMaskSign(u: number, v: number): 1 | -1 {
  assertPositions(u, v);
  return u > v ? 1 : -1;
}

/** Key of the self mask of the device at position `u`, from its 32-byte secret `b`. */
export function selfMaskKey(primitives: Primitives, b: Bytes, sid: Bytes, u: number): Promise<Bytes> {
  assert(b.length === KEY_BYTES, "a self-mask secret has 32 bytes");
  return primitives.hkdfSha256(b, sid, E(DOMAINS.selfMask, u), KEY_BYTES);
}

/**
 * Key that seals the share sent from position `from` to position `to`. The other direction has its own key.
 *
 * @param sharedSecret  X25519(c_from, C_to), 32 bytes.
 */
export function shareEncryptionKey(
  primitives: Primitives,
  sharedSecret: Bytes,
  sid: Bytes,
  from: number,
  to: number,
): Promise<Bytes> {
  assertPositions(from, to);
  return primitives.hkdfSha256(sharedSecret, sid, E(DOMAINS.shareEnc, from, to), KEY_BYTES);
}

function assertPositions(u: number, v: number): void {
  assert(u !== v && u >= 1 && v >= 1, `not two roster positions: ${u}, ${v}`);
}
