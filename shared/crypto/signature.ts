import nacl from "tweetnacl";
import { assert } from "../kernel/assert.ts";
import { type Bytes, bytesToHex, concatBytes, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives, Signer } from "../kernel/ports.ts";
import { Secret } from "../kernel/secret.ts";
import { PKCS8_PREFIX, type SubtleKey, type SubtleLike } from "./subtle-like.ts";

/** p = 2^255 - 19 and the group order L, little-endian. RFC 8032 section 5.1. */
const FIELD_PRIME = hexToBytes("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
const GROUP_ORDER = hexToBytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

/** y of the eight points whose order divides 8: orders 1, 2, 4 (one y, both signs) and 8 (two y, both signs). */
const SMALL_ORDER_Y = new Set([
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);

/**
 * The protocol's only Ed25519 verification: true iff S < L, A and R are canonical and not of small order, and
 * encode([S]B - [k]A) equals R. Libraries differ on exactly these points, and two parties that judge the same signature
 * differently would split a roster (S6).
 *
 * @param publicKey  Any length; false unless it has 32 bytes.
 * @param message    Always an `E(...)`.
 * @param signature  Any length; false unless it has 64 bytes.
 * Source: RFC 8032 section 5.1.7; Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs", 2020.
 * Does not protect against replay: a signature says who signed, not when. Freshness comes from what is signed.
 */
export async function verifySignature(
  primitives: Primitives,
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (!isStrictPoint(publicKey) || !isStrictPoint(signature.subarray(0, 32))) return false;
  if (!isBelow(signature.subarray(32), GROUP_ORDER)) return false;
  return primitives.ed25519VerifyLoose(publicKey, message, signature);
}

/** True if the encoding is canonical (y < p) and not of small order. The library checks that it lies on the curve. */
export function isStrictPoint(encoded: Uint8Array): boolean {
  const y = Uint8Array.from(encoded);
  y[31] = (y[31] as number) & 0x7f;
  return isBelow(y, FIELD_PRIME) && !SMALL_ORDER_Y.has(bytesToHex(y));
}

/** Little-endian comparison of public values. */
function isBelow(value: Uint8Array, bound: Uint8Array): boolean {
  for (let index = 31; index >= 0; index--) {
    const difference = (value[index] as number) - (bound[index] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/**
 * Signs with a 32-byte seed held in this process, for edges (from a 0600 file), coordinator keys and tests.
 *
 * @param subtle  If given, WebCrypto signs, else tweetnacl. The bytes are the same, because Ed25519 is deterministic.
 * Does not protect the seed from code in the same process.
 */
export function localSigner(seed: Bytes, subtle?: SubtleLike): Signer {
  assert(seed.length === 32, "an Ed25519 seed has 32 bytes");
  const pair = nacl.sign.keyPair.fromSeed(seed);
  const publicKey = new Uint8Array(pair.publicKey);
  if (subtle === undefined) {
    const secretKey = new Secret(pair.secretKey);
    return {
      publicKey,
      sign: async (message) => new Uint8Array(nacl.sign.detached(message, secretKey.reveal())),
    };
  }
  const pkcs8 = concatBytes([PKCS8_PREFIX.ed25519, seed]);
  const key = subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, false, ["sign"]);
  return {
    publicKey,
    sign: async (message) => webCryptoSigner(subtle, await key, publicKey).sign(message),
  };
}

/** Signs with a non-extractable WebCrypto key (from IndexedDB). `publicKey` is 32 raw bytes. */
export function webCryptoSigner(subtle: SubtleLike, privateKey: SubtleKey, publicKey: Bytes): Signer {
  return {
    publicKey,
    sign: async (message) => new Uint8Array(await subtle.sign({ name: "Ed25519" }, privateKey, message)),
  };
}
