import { ctr } from "@noble/ciphers/aes.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import nacl from "tweetnacl";
import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok } from "../kernel/result.ts";

/**
 * The primitives in plain JavaScript, for platforms without WebCrypto (or without its Curve25519 part).
 *
 * Sources: tweetnacl 1.0 (X25519, Ed25519; audited 2017), noble hashes and ciphers (SHA-256, HKDF, AES-CTR).
 * Does not protect against timing and cache observers: AES uses tables here, and a JavaScript engine may turn any code
 * into branches. Intermediate values are not erased from memory.
 */
export function javascriptPrimitives(): Primitives {
  return {
    name: "javascript",
    sha256: async (bytes) => unshared(sha256(bytes)),
    hkdfSha256: async (inputKey, salt, info, byteCount) => {
      return unshared(hkdf(sha256, inputKey, salt, info, byteCount));
    },
    x25519PublicKey: async (secretKey) => unshared(nacl.scalarMult.base(secretKey)),
    x25519: async (secretKey, publicKey) => {
      if (publicKey.length !== 32) return err({ type: "low-order-point" });
      const shared = unshared(nacl.scalarMult(secretKey, publicKey));
      // tweetnacl returns the all-zero result, which callers must refuse by RFC 7748 section 6.1.
      return isAllZero(shared) ? err({ type: "low-order-point" }) : ok(shared);
    },
    ed25519VerifyLoose: async (publicKey, message, signature) => {
      if (publicKey.length !== 32 || signature.length !== 64) return false;
      return nacl.sign.detached.verify(message, signature, publicKey);
    },
    aes256CtrKeystream: async (key, firstBlock, byteCount) => {
      assert(key.length === 32, "AES-256 has a 32-byte key");
      return unshared(ctr(key, counterBlock(firstBlock)).encrypt(new Uint8Array(byteCount)));
    },
  };
}

/** Counter block number `index`, big-endian in 16 bytes. SP 800-38A appendix B. */
export function counterBlock(index: number): Bytes {
  assert(Number.isSafeInteger(index) && index >= 0, `not a block index: ${index}`);
  const block = new Uint8Array(16);
  const view = new DataView(block.buffer);
  view.setUint32(8, Math.floor(index / 2 ** 32));
  view.setUint32(12, index % 2 ** 32);
  return block;
}

/** True if every byte is zero. Never exits early. */
export function isAllZero(bytes: Uint8Array): boolean {
  let union = 0;
  for (const byte of bytes) union |= byte;
  return union === 0;
}

/** The libraries return ordinary buffers, but their types do not say so. */
function unshared(bytes: Uint8Array): Bytes {
  assert(bytes.buffer instanceof ArrayBuffer, "a library returned shared memory");
  return bytes as Bytes;
}
