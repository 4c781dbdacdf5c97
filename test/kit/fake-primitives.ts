import { hash } from "node:crypto";
import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, compareBytes, concatBytes, equalBytes } from "#shared/kernel/bytes.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import { ok } from "#shared/kernel/result.ts";

/*
 * Primitives with the shape of the real ones and none of their strength, for simulations in breadth: SHA-256 is real,
 * all else is made of it or of a fast mixer. Who knows the public key can forge; nothing here hides anything. Each call
 * ends within microtasks, so that a simulation knows when nothing is under way.
 */

const MIX = 0x9e37_79b1;

export function fakePrimitives(): Primitives {
  return {
    name: "javascript",
    sha256: async (bytes) => digest(bytes),
    hkdfSha256: async (inputKey, salt, info, byteCount) => {
      const key = digest(concatBytes([inputKey, salt, info]));
      if (byteCount === key.length) return key;
      const out = new Uint8Array(byteCount);
      for (let offset = 0; offset < byteCount; offset += 32) {
        const block = digest(concatBytes([key, Uint8Array.of(offset >>> 13, (offset >>> 5) & 255)]));
        out.set(block.subarray(0, Math.min(32, byteCount - offset)), offset);
      }
      return out;
    },
    x25519PublicKey: async (secretKey) => publicKeyOf(secretKey),
    // Both ends hash the same two public keys.
    x25519: async (secretKey, publicKey) => {
      const own = publicKeyOf(secretKey);
      const sorted = compareBytes(own, publicKey) < 0 ? [own, publicKey] : [publicKey, own];
      return ok(digest(concatBytes(sorted)));
    },
    ed25519VerifyLoose: async (publicKey, message, signature) =>
      equalBytes(signatureOf(publicKey, message), signature),
    aes256CtrKeystream: async (key, firstBlock, byteCount) => {
      assert(key.length === 32, "AES-256 has a 32-byte key");
      const view = new DataView(key.buffer, key.byteOffset, 32);
      // Every byte of the key counts.
      let [low, high] = [0, 0];
      for (let offset = 0; offset < 32; offset += 8) {
        low ^= view.getUint32(offset, true);
        high ^= view.getUint32(offset + 4, true);
      }
      const words = new Uint32Array(Math.ceil(byteCount / 4));
      for (let index = 0; index < words.length; index++)
        words[index] = mixed(4 * firstBlock + index, low, high);
      return new Uint8Array(words.buffer, 0, byteCount);
    },
  };
}

/** Signs what `fakePrimitives` verify. */
export function fakeSigner(seed: Bytes): Signer {
  const publicKey = digest(seed);
  // Canonical as a point of the curve.
  publicKey[31] = (publicKey[31] as number) & 0x3f;
  return { publicKey, sign: async (message) => signatureOf(publicKey, message) };
}

function publicKeyOf(secretKey: Bytes): Bytes {
  return digest(concatBytes([Uint8Array.of(1), secretKey]));
}

/** 64 bytes whose halves pass the strict checks: R canonical, S below the group order. */
function signatureOf(publicKey: Bytes, message: Bytes): Bytes {
  const half = digest(concatBytes([publicKey, message]));
  half[31] = (half[31] as number) & 0x0f;
  return concatBytes([half, half]);
}

function mixed(index: number, low: number, high: number): number {
  let word = Math.imul(index ^ low, MIX) ^ high;
  word = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2_ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

function digest(bytes: Uint8Array): Bytes {
  return new Uint8Array(hash("sha256", bytes, "buffer"));
}
