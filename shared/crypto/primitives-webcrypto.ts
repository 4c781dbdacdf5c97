import { sha256 } from "@noble/hashes/sha2.js";
import { assert } from "../kernel/assert.ts";
import { type Bytes, concatBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok } from "../kernel/result.ts";
import { KeyCache } from "./key-cache.ts";
import { counterBlock, isAllZero, javascriptPrimitives } from "./primitives-javascript.ts";
import { PKCS8_PREFIX, type SubtleKey, type SubtleLike } from "./subtle-like.ts";

/**
 * Up to this length a synchronous hash beats the hop to WebCrypto's threads: 64 bytes take 0.003 ms instead of 0.03 ms,
 * and Merkle trees and commitments need thousands of them.
 */
const SHORT_HASH_BYTES = 1024;

/** Encrypting zeros gives the key stream. As long as a block of the mask stream (256 KiB). Never written to. */
const ZEROS: Bytes = new Uint8Array(256 * 1024);

/**
 * The primitives over WebCrypto, byte for byte the same as `javascriptPrimitives`.
 *
 * @param subtle  `globalThis.crypto.subtle` with X25519 and Ed25519. If it may lack them, call `selectPrimitives`.
 * Source: W3C Web Cryptography Level 2; RFC 8410 for the PKCS #8 frame around raw X25519 secrets.
 * Does not protect secrets in memory: they pass through JavaScript on their way in and out. Only the identity key, behind
 * `Signer`, stays inside the platform.
 */
export function webCryptoPrimitives(subtle: SubtleLike): Primitives {
  let basePoint: Promise<SubtleKey> | undefined;
  const agreementKeys = new KeyCache<Promise<SubtleKey>>();
  const streamKeys = new KeyCache<Promise<SubtleKey>>();

  async function importSecret(secret: Bytes): Promise<SubtleKey> {
    const pkcs8 = concatBytes([PKCS8_PREFIX.x25519, secret]);
    const key = await subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]);
    pkcs8.fill(0);
    return key;
  }

  async function x25519(secret: Bytes, point: Promise<SubtleKey>): Promise<Bytes> {
    assert(secret.length === 32, "an X25519 secret has 32 bytes");
    const key = agreementKeys.get(secret, () => importSecret(secret));
    return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: await point }, await key, 256));
  }

  return {
    name: "webcrypto",
    sha256: async (bytes) => {
      if (bytes.length <= SHORT_HASH_BYTES) return sha256(bytes) as Bytes;
      return new Uint8Array(await subtle.digest("SHA-256", bytes));
    },
    hkdfSha256: async (inputKey, salt, info, byteCount) => {
      const key = await subtle.importKey("raw", inputKey, { name: "HKDF" }, false, ["deriveBits"]);
      const algorithm = { name: "HKDF", hash: "SHA-256", salt, info } as const;
      return new Uint8Array(await subtle.deriveBits(algorithm, key, 8 * byteCount));
    },
    // WebCrypto cannot derive a public key. It is the product of the secret and the base point, u = 9.
    x25519PublicKey: (secretKey) => {
      basePoint ??= importPoint(subtle, Uint8Array.of(9, ...new Uint8Array(31)));
      return x25519(secretKey, basePoint);
    },
    x25519: async (secretKey, publicKey) => {
      if (publicKey.length !== 32) return err({ type: "low-order-point" });
      try {
        const shared = await x25519(secretKey, importPoint(subtle, publicKey));
        return isAllZero(shared) ? err({ type: "low-order-point" }) : ok(shared);
      } catch (error) {
        // The platform itself refuses the all-zero result. Any other error is our fault and is thrown on.
        if (!isOperationError(error)) throw error;
        return err({ type: "low-order-point" });
      }
    },
    ed25519VerifyLoose: async (publicKey, message, signature) => {
      if (publicKey.length !== 32 || signature.length !== 64) return false;
      try {
        const key = await subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
        return await subtle.verify({ name: "Ed25519" }, key, signature, message);
      } catch {
        // If the bytes are not a point, some platforms refuse them at import and others at verification.
        return false;
      }
    },
    aes256CtrKeystream: async (key, firstBlock, byteCount) => {
      assert(key.length === 32, "AES-256 has a 32-byte key");
      const imported = await streamKeys.get(key, () =>
        subtle.importKey("raw", key, { name: "AES-CTR" }, false, ["encrypt"]),
      );
      const zeros = byteCount <= ZEROS.length ? ZEROS.subarray(0, byteCount) : new Uint8Array(byteCount);
      const algorithm = { name: "AES-CTR", counter: counterBlock(firstBlock), length: 64 } as const;
      return new Uint8Array(await subtle.encrypt(algorithm, imported, zeros));
    },
  };
}

/**
 * The fastest primitives that work on this platform: all of WebCrypto, WebCrypto with Curve25519 in JavaScript (browsers
 * before 2025), or JavaScript alone (`subtle` is undefined on plain HTTP).
 */
export async function selectPrimitives(subtle: SubtleLike | undefined): Promise<Primitives> {
  const javascript = javascriptPrimitives();
  if (subtle === undefined) return javascript;
  const webCrypto = webCryptoPrimitives(subtle);
  if (await hasCurve25519(subtle)) return webCrypto;
  const { name, sha256, hkdfSha256, aes256CtrKeystream } = webCrypto;
  return { ...javascript, name, sha256, hkdfSha256, aes256CtrKeystream };
}

async function hasCurve25519(subtle: SubtleLike): Promise<boolean> {
  try {
    // The base points of both curves are valid keys.
    const edwards = Uint8Array.of(0x58, ...new Uint8Array(31).fill(0x66));
    await subtle.importKey("raw", edwards, { name: "Ed25519" }, false, ["verify"]);
    await webCryptoPrimitives(subtle).x25519PublicKey(new Uint8Array(32).fill(1));
    return true;
  } catch {
    return false;
  }
}

function importPoint(subtle: SubtleLike, publicKey: Bytes): Promise<SubtleKey> {
  return subtle.importKey("raw", publicKey, { name: "X25519" }, false, []);
}

function isOperationError(error: unknown): boolean {
  return typeof error === "object" && error !== null && "name" in error && error.name === "OperationError";
}
