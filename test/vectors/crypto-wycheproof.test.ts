// Wycheproof and speccheck in full, over all implementations of the primitives. If a file leaves the verdict open, the
// protocol's rule, stated here, decides; each refusal has its control.
import * as nodeCrypto from "node:crypto";
import nacl from "tweetnacl";
import { describe, expect, test } from "vitest";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { selectPrimitives, webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { verifySignature } from "#shared/crypto/signature.ts";
import type { SubtleLike } from "#shared/crypto/subtle-like.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import speccheck from "./data/speccheck.json" with { type: "json" };
import ed25519 from "./data/wycheproof-ed25519.json" with { type: "json" };
import x25519 from "./data/wycheproof-x25519.json" with { type: "json" };

const implementations = [
  webCryptoPrimitives(crypto.subtle),
  javascriptPrimitives(),
  nodePrimitives(nodeCrypto, Buffer),
];
const ZERO = "00".repeat(32);

test("the files are complete", () => {
  expect(x25519.tests).toHaveLength(x25519.numberOfTests);
  expect(ed25519.tests).toHaveLength(ed25519.numberOfTests);
  expect(speccheck.tests).toHaveLength(12);
  // They include every kind of trouble that the X25519 file knows.
  const flags = new Set(x25519.tests.flatMap((vector) => vector.flags));
  for (const flag of ["Twist", "LowOrderPublic", "NonCanonicalPublic", "ZeroSharedSecret", "EdgeCaseShared"])
    expect(flags).toContain(flag);
});

describe.each(implementations)("$name", (primitives) => {
  test("[S5] Wycheproof X25519: every result except zero, which is refused", async () => {
    let refused = 0;
    const wrong: number[] = [];
    for (const { tcId, public: point, private: secret, shared } of x25519.tests) {
      const result = await primitives.x25519(hexToBytes(secret), hexToBytes(point));
      const expected = shared === ZERO ? "low-order-point" : shared;
      const got = result.ok ? bytesToHex(result.value) : result.error.type;
      if (got !== expected) wrong.push(tcId);
      if (!result.ok) refused += 1;
    }
    expect(wrong).toEqual([]);
    expect(refused).toBe(x25519.tests.filter(({ flags }) => flags.includes("ZeroSharedSecret")).length);
    expect(refused).toBeGreaterThan(0);
  });

  test("[S5] Wycheproof Ed25519: valid signatures verify, and nothing else does", async () => {
    const wrong: number[] = [];
    for (const { tcId, pk, msg, sig, result } of ed25519.tests) {
      const verdict = await verifySignature(primitives, hexToBytes(pk), hexToBytes(msg), hexToBytes(sig));
      if (verdict !== (result === "valid")) wrong.push(tcId);
    }
    expect(wrong).toEqual([]);
  });

  test("[S6] speccheck: only the third verifies, whose A and R are merely of mixed order", async () => {
    // Table 5 of the paper: 0 to 2 have A or R of small order, 4 and 5 hold only times eight, 6 and 7 have S >= L,
    // 8 to 11 an A or R that is not canonical. LibSodium judges all twelve the same way.
    const accepted: number[] = [];
    for (const [index, { publicKey, message, signature }] of speccheck.tests.entries()) {
      const [key, text, bytes] = [hexToBytes(publicKey), hexToBytes(message), hexToBytes(signature)];
      if (await verifySignature(primitives, key, text, bytes)) accepted.push(index);
    }
    expect(accepted).toEqual([3]);
  });
});

test("[S6] without the rule the two libraries differ on speccheck and on Wycheproof (positive control)", async () => {
  const judge = async (index: 0 | 1) => {
    const primitives = implementations[index] as (typeof implementations)[number];
    const verdicts: boolean[] = [];
    for (const { publicKey, message, signature } of speccheck.tests) {
      const [key, text, bytes] = [hexToBytes(publicKey), hexToBytes(message), hexToBytes(signature)];
      verdicts.push(await primitives.ed25519VerifyLoose(key, text, bytes));
    }
    return verdicts;
  };
  const [platform, javascript] = [await judge(0), await judge(1)];
  // TweetNaCl-js in the paper's table 5.
  expect(javascript.flatMap((yes, index) => (yes ? [index] : []))).toEqual([0, 1, 2, 3, 6, 7, 11]);
  expect(platform).not.toEqual(javascript);
  const malleable = ed25519.tests.filter(({ pk, msg, sig, result }) => {
    const signature = hexToBytes(sig);
    if (result === "valid" || signature.length !== 64) return false;
    return nacl.sign.detached.verify(hexToBytes(msg), signature, hexToBytes(pk));
  });
  expect(malleable.length).toBeGreaterThan(0);
});

describe("the choice of an implementation", () => {
  test("falls back as far as necessary: everything, only hashes and AES, or nothing from the platform", async () => {
    const real: SubtleLike = crypto.subtle;
    const without = (names: readonly string[]): SubtleLike => ({
      digest: (algorithm, data) => real.digest(algorithm, data),
      importKey: async (format, data, algorithm, extractable, uses) => {
        if (names.includes(algorithm.name)) throw new Error(`${algorithm.name} is not supported`);
        return real.importKey(format, data, algorithm, extractable, uses);
      },
      deriveBits: (algorithm, key, bitCount) => real.deriveBits(algorithm, key, bitCount),
      encrypt: (algorithm, key, data) => real.encrypt(algorithm, key, data),
      sign: (algorithm, key, data) => real.sign(algorithm, key, data),
      verify: (algorithm, key, signature, data) => real.verify(algorithm, key, signature, data),
    });
    const all = await selectPrimitives(without([]));
    const hashesOnly = await selectPrimitives(without(["X25519", "Ed25519"]));
    const none = await selectPrimitives(undefined);
    expect([all.name, hashesOnly.name, none.name]).toEqual(["webcrypto", "webcrypto", "javascript"]);
    const vector = x25519.tests[0] as (typeof x25519.tests)[number];
    for (const primitives of [all, hashesOnly, none]) {
      const result = await primitives.x25519(hexToBytes(vector.private), hexToBytes(vector.public));
      expect(result.ok && bytesToHex(result.value)).toBe(vector.shared);
      const stream = await primitives.aes256CtrKeystream(new Uint8Array(32), 0, 16);
      expect(bytesToHex(stream)).toBe("dc95c078a2408989ad48a21492842087");
    }
  });
});
