import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import { err, ok } from "#shared/kernel/result.ts";

/*
 * Primitives that protect nothing but obey every law that the protocol needs: both ends of a key agreement get the same
 * secret, a signature verifies only for its key and message, a key stream can be read from any block, and different
 * inputs give different hashes. They allow thousands of devices and schedules, for which real cryptography would take
 * hours. Real cryptography is tested separately.
 *
 * Anyone can forge a signature and read a mask here; a signature has the shape that `verifySignature` asks for.
 */
export function fakePrimitives(): Primitives {
  return {
    name: "javascript",
    sha256: async (bytes) => mix(1, bytes),
    hkdfSha256: async (inputKey, salt, info, byteCount) => {
      const key = mix(2, inputKey, salt, info);
      return byteCount === 32 ? key : keystream(key, 0, byteCount);
    },
    x25519PublicKey: async (secretKey) => publicOf(secretKey),
    x25519: async (secretKey, publicKey) => {
      if (publicKey.length !== 32 || publicKey.every((byte) => byte === 0)) {
        return err({ type: "low-order-point" });
      }
      // The sum of both public keys is the same at either end.
      const own = publicOf(secretKey);
      return ok(
        mix(
          3,
          own.map((byte, index) => byte + (publicKey[index] as number)),
        ),
      );
    },
    ed25519VerifyLoose: async (publicKey, message, signature) => {
      const expected = signatureOf(publicKey, message);
      return signature.length === 64 && expected.every((byte, index) => byte === signature[index]);
    },
    aes256CtrKeystream: async (key, firstBlock, byteCount) => keystream(key, firstBlock, byteCount),
  };
}

/** A device identity for `fakePrimitives`. @param seed  Any bytes; different seeds give different identities. */
export function fakeSigner(seed: Bytes): Signer {
  const publicKey = belowPrime(mix(4, seed));
  return { publicKey, sign: async (message) => signatureOf(publicKey, message) };
}

function publicOf(secretKey: Bytes): Bytes {
  return secretKey.map((byte) => byte ^ 0xa5);
}

function signatureOf(publicKey: Bytes, message: Bytes): Bytes {
  const signature = new Uint8Array(64);
  signature.set(belowPrime(mix(5, publicKey, message)));
  const scalar = mix(6, publicKey, message);
  scalar[31] = (scalar[31] as number) & 0x0f; // below the group order
  signature.set(scalar, 32);
  return signature;
}

function belowPrime(encoded: Bytes): Bytes {
  encoded[31] = (encoded[31] as number) & 0x3f;
  return encoded;
}

/** 32 bytes that depend on every byte, on the end of each part, and on `tag`; mixes well, no security. */
function mix(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const lanes = Uint32Array.from({ length: 8 }, (_, lane) => Math.imul(lane + 1, 0x9e3779b1) ^ tag);
  let turn = 0;
  const absorb = (word: number) => {
    const lane = turn & 7;
    const before = lanes[(turn + 7) & 7] as number;
    const x = Math.imul((lanes[lane] as number) ^ word, 0x85ebca6b) + before;
    lanes[lane] = Math.imul(x ^ (x >>> 15), 0xc2b2ae35);
    turn++;
  };
  for (const part of parts) {
    const whole = part.length & ~3;
    for (let index = 0; index < whole; index += 4) {
      absorb(
        (part[index] as number) |
          ((part[index + 1] as number) << 8) |
          ((part[index + 2] as number) << 16) |
          ((part[index + 3] as number) << 24),
      );
    }
    for (let index = whole; index < part.length; index++) absorb((part[index] as number) + 0x100);
    absorb(part.length ^ 0x5bd1e995);
  }
  // Each lane passes each other lane three times.
  for (let round = 0; round < 24; round++) absorb(round);
  return new Uint8Array(lanes.buffer);
}

/** Word w of the stream is a hash of the key and w only, so that the stream can be read from any block. */
function keystream(key: Bytes, firstBlock: number, byteCount: number): Bytes {
  const words = new Uint32Array(Math.ceil(byteCount / 4));
  const [k0, k1, k2, k3] = new Uint32Array(key.slice(0, 16).buffer);
  for (let index = 0; index < words.length; index++) {
    const at = 4 * firstBlock + index;
    let x = Math.imul(at ^ (k0 ?? 0), 0x85ebca6b) + Math.imul(Math.floor(at / 2 ** 32), 0x27d4eb2f);
    x = Math.imul(x ^ (x >>> 15) ^ (k1 ?? 0), 0xc2b2ae35);
    x = Math.imul(x ^ (x >>> 13) ^ (k2 ?? 0), 0x9e3779b1);
    words[index] = (x ^ (x >>> 16)) + (k3 ?? 0);
  }
  return new Uint8Array(words.buffer, 0, byteCount);
}
