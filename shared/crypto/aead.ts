import nacl from "tweetnacl";
import { assert } from "../kernel/assert.ts";
import { type Bytes, concatBytes } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";

export const SEAL_NONCE_BYTES = 24;
/** Bytes that sealing adds to a message: the nonce and the authenticator. */
export const SEAL_OVERHEAD_BYTES = SEAL_NONCE_BYTES + 16;

/**
 * Seals `plaintext` under a 32-byte key: `nonce (24) | XSalsa20-Poly1305 box (16 + n)`.
 *
 * @param nonce  24 fresh random bytes.
 * Source: NaCl `crypto_secretbox` (Bernstein, "Cryptography in NaCl", 2009), by tweetnacl.
 * Does not protect the length, order or number of messages. It is not key-committing, so the plaintext names its context
 * (sid, sender, receiver) and the receiver compares it.
 */
export function seal(key: Bytes, nonce: Bytes, plaintext: Bytes): Bytes {
  assert(
    key.length === 32 && nonce.length === SEAL_NONCE_BYTES,
    "seal takes a 32-byte key and a 24-byte nonce",
  );
  return concatBytes([nonce, nacl.secretbox(plaintext, nonce, key)]);
}

/** Opens the output of `seal`. Error: `not-authentic` if the key is wrong, a byte has changed or bytes are missing. */
export function open(key: Bytes, sealed: Bytes): Result<Bytes, OpenError> {
  assert(key.length === 32, "open takes a 32-byte key");
  if (sealed.length < SEAL_OVERHEAD_BYTES) return err({ type: "not-authentic" });
  const nonce = sealed.subarray(0, SEAL_NONCE_BYTES);
  const plaintext = nacl.secretbox.open(sealed.subarray(SEAL_NONCE_BYTES), nonce, key);
  return plaintext === null ? err({ type: "not-authentic" }) : ok(new Uint8Array(plaintext));
}

export type OpenError = { readonly type: "not-authentic" };
