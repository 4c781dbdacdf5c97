// Cases that Ed25519 libraries judge differently, built with an independent curve implementation (noble-curves). Each
// refusal has its control: some available library accepts the signature.
import * as nodeCrypto from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import nacl from "tweetnacl";
import { describe, expect, test } from "vitest";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { isStrictPoint, verifySignature } from "#shared/crypto/signature.ts";
import { type Bytes, bytesToHex, concatBytes, utf8 } from "#shared/kernel/bytes.ts";

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;
const PRIME = Point.Fp.ORDER;
const MESSAGE = utf8("a message of the protocol");
const implementations = [
  webCryptoPrimitives(crypto.subtle),
  javascriptPrimitives(),
  nodePrimitives(nodeCrypto, Buffer),
];

function littleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function challenge(R: Uint8Array, A: Uint8Array): bigint {
  return toNumber(sha512(concatBytes([R, A, MESSAGE]))) % ORDER;
}

/** A point of order 8: a point outside the prime-order subgroup, multiplied by the group order. */
function pointOfOrderEight(): InstanceType<typeof Point> {
  for (let y = 2n; y < 100n; y++) {
    try {
      const point = Point.fromBytes(littleEndian(y));
      // The library takes only scalars below the order.
      const candidate = point.multiplyUnsafe(ORDER - 1n).add(point);
      if (!candidate.multiplyUnsafe(4n).equals(Point.ZERO)) return candidate;
    } catch {
      // No point of the curve has this y.
    }
  }
  throw new Error("half of all y are on the curve");
}

const T8 = pointOfOrderEight();
const scalar = 123456789n;
const A = Point.BASE.multiply(scalar);
const nonce = 987654321n;

/** A signature by `scalar` under the given encodings of A and R, with S from the honest equation. */
function signWith(R: Uint8Array, publicKey: Uint8Array): Bytes {
  const S = (nonce + challenge(R, publicKey) * scalar) % ORDER;
  return concatBytes([R, littleEndian(S)]);
}

describe.each(implementations)("[S5] $name", (primitives) => {
  const verify = (key: Uint8Array, signature: Bytes) =>
    verifySignature(primitives, new Uint8Array(key), MESSAGE, signature);

  test("accepts the honest signature from which the cases below are derived", async () => {
    const R = Point.BASE.multiply(nonce).toBytes();
    expect(await verify(A.toBytes(), signWith(R, A.toBytes()))).toBe(true);
  });

  test("refuses S + L, which tweetnacl accepts", async () => {
    const R = Point.BASE.multiply(nonce).toBytes();
    const honest = signWith(R, A.toBytes());
    const bent = concatBytes([honest.subarray(0, 32), littleEndian(toNumber(honest.subarray(32)) + ORDER)]);
    expect(nacl.sign.detached.verify(MESSAGE, bent, A.toBytes())).toBe(true);
    expect(await verify(A.toBytes(), bent)).toBe(false);
  });

  test("refuses the identity as a key, because one signature would then verify for every message", async () => {
    const identity = Point.ZERO.toBytes();
    const R = Point.BASE.multiply(nonce).toBytes();
    const forged = concatBytes([R, littleEndian(nonce)]);
    expect(nacl.sign.detached.verify(MESSAGE, forged, identity)).toBe(true);
    expect(nacl.sign.detached.verify(utf8("any other"), forged, identity)).toBe(true);
    expect(await verify(identity, forged)).toBe(false);
  });

  test("refuses R plus a point of order 8, which noble's strict mode accepts", async () => {
    const R = Point.BASE.multiply(nonce).add(T8).toBytes();
    const bent = signWith(R, A.toBytes());
    expect(ed25519.verify(bent, MESSAGE, A.toBytes(), { zip215: false })).toBe(true);
    expect(await verify(A.toBytes(), bent)).toBe(false);
  });

  test("refuses R of order 8 itself, even with A chosen so that the equation holds", async () => {
    // A = aB + T, S = ka: then [S]B - [k]A = -[k]T, which is a chosen multiple of T for one key in eight.
    let accepted = 0;
    for (let turn = 2n; turn < 40n; turn++) {
      const mixed = Point.BASE.multiply(turn).add(T8);
      const R = T8.multiplyUnsafe(3n).toBytes();
      const bent = concatBytes([R, littleEndian((challenge(R, mixed.toBytes()) * turn) % ORDER)]);
      if (nacl.sign.detached.verify(MESSAGE, bent, mixed.toBytes())) accepted++;
      expect(await verify(mixed.toBytes(), bent)).toBe(false);
    }
    expect(accepted).toBeGreaterThan(0);
  });

  test("refuses keys and signatures of another length", async () => {
    const R = Point.BASE.multiply(nonce).toBytes();
    const honest = signWith(R, A.toBytes());
    expect(await verify(A.toBytes().subarray(1), honest)).toBe(false);
    expect(await verify(A.toBytes(), honest.slice(0, 63))).toBe(false);
    expect(await verify(A.toBytes(), concatBytes([honest, Uint8Array.of(0)]))).toBe(false);
  });

  test("refuses a key that is not a point", async () => {
    let y = 2n;
    const isPoint = (candidate: bigint) => {
      try {
        Point.fromBytes(littleEndian(candidate));
        return true;
      } catch {
        return false;
      }
    };
    while (isPoint(y)) y++;
    expect(await verify(littleEndian(y), signWith(Point.BASE.toBytes(), littleEndian(y)))).toBe(false);
  });
});

test("the list of points of small order is exactly the torsion that noble-curves computes", () => {
  const encodings = new Set<string>();
  for (let multiple = 0n; multiple < 8n; multiple++) {
    const encoded = (multiple === 0n ? Point.ZERO : T8.multiplyUnsafe(multiple)).toBytes();
    expect(isStrictPoint(encoded)).toBe(false);
    encodings.add(bytesToHex(encoded));
    const signed = encoded.slice();
    signed[31] = (signed[31] as number) ^ 0x80;
    expect(isStrictPoint(signed)).toBe(false);
  }
  expect(encodings.size).toBe(8);
  expect(isStrictPoint(Point.BASE.toBytes())).toBe(true);
});

test("the canonical range of y ends at p", () => {
  // 2^255 - 19 + k for k = 0..18 are the 19 encodings that are not of a field element.
  for (let k = 0n; k <= 18n; k++) {
    expect(isStrictPoint(littleEndian(PRIME + k))).toBe(false);
    expect(isStrictPoint(littleEndian((PRIME + k) | (1n << 255n)))).toBe(false);
  }
  expect(isStrictPoint(littleEndian(PRIME - 2n))).toBe(true);
});
