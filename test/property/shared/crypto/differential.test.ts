// WebCrypto, Node and JavaScript must give the same bytes for every input, because the two devices of a pair may use
// different ones.
import * as nodeCrypto from "node:crypto";
import { createCipheriv } from "node:crypto";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { open, seal } from "#shared/crypto/aead.ts";
import { addMasks, keystreamWords } from "#shared/crypto/mask-stream.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner, verifySignature } from "#shared/crypto/signature.ts";
import { type Bytes, concatBytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

const webCrypto = webCryptoPrimitives(crypto.subtle);
const javascript = javascriptPrimitives();
const node = nodePrimitives(nodeCrypto, Buffer);
const bytes = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => new Uint8Array(array));

async function same<T>(call: (primitives: Primitives) => Promise<T>): Promise<void> {
  const [left, right, third] = await Promise.all([call(webCrypto), call(javascript), call(node)]);
  expect(left).toEqual(right);
  expect(third).toEqual(right);
}

describe("all primitives give the same bytes", () => {
  test("SHA-256, short and long", async () => {
    await fc.assert(fc.asyncProperty(bytes(0, 3000), (data) => same((p) => p.sha256(data))));
  });

  test("SHA-256 of what the bytes were at the call, though they change while it runs", async () => {
    await fc.assert(
      fc.asyncProperty(bytes(1, 3000), (data) =>
        same(async (p) => {
          const reused = data.slice();
          const hashing = p.sha256(reused);
          reused.fill(0);
          expect(await hashing).toEqual(await p.sha256(data));
        }),
      ),
    );
  });

  test("HKDF", async () => {
    const inputs = fc.tuple(bytes(1, 64), bytes(0, 64), bytes(0, 100), fc.integer({ min: 1, max: 300 }));
    await fc.assert(
      fc.asyncProperty(inputs, ([key, salt, info, count]) =>
        same((p) => p.hkdfSha256(key, salt, info, count)),
      ),
    );
  });

  test("X25519, on any 32 bytes as a point", async () => {
    await fc.assert(
      fc.asyncProperty(bytes(32), bytes(32), async (secret, point) => {
        await same((p) => p.x25519PublicKey(secret));
        await same((p) => p.x25519(secret, point));
      }),
      { numRuns: 30 },
    );
  });

  test("AES-256-CTR at any block and length", async () => {
    const inputs = fc.tuple(
      bytes(32),
      fc.integer({ min: 0, max: 2 ** 48 }),
      fc.integer({ min: 0, max: 5000 }),
    );
    await fc.assert(
      fc.asyncProperty(inputs, ([key, block, count]) => same((p) => p.aes256CtrKeystream(key, block, count))),
    );
  });

  test("Ed25519: signatures agree and verify across, and a flipped bit fails in each", async () => {
    const inputs = fc.tuple(bytes(32), bytes(0, 200), fc.integer({ min: 0, max: 511 }));
    await fc.assert(
      fc.asyncProperty(inputs, async ([seed, message, bit]) => {
        const signer = localSigner(seed);
        const signature = await signer.sign(message);
        expect(await localSigner(seed, crypto.subtle).sign(message)).toEqual(signature);
        const bent = signature.slice();
        bent[bit >>> 3] = (bent[bit >>> 3] as number) ^ (1 << (bit & 7));
        for (const primitives of [webCrypto, javascript, node]) {
          expect(await verifySignature(primitives, signer.publicKey, message, signature)).toBe(true);
          expect(await verifySignature(primitives, signer.publicKey, message, bent)).toBe(false);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("secretbox, with noble as the second implementation", () => {
  const boxes = fc.tuple(bytes(32), bytes(24), bytes(0, 3000));

  test("[S5] each opens what the other sealed, with the same bytes", async () => {
    await fc.assert(
      fc.asyncProperty(boxes, async ([key, nonce, plaintext]) => {
        const ours = seal(key, nonce, plaintext);
        const theirs = xsalsa20poly1305(key, nonce).encrypt(plaintext);
        expect(ours).toEqual(concatBytes([nonce, theirs]));
        expect(open(key, concatBytes([nonce, theirs]))).toEqual({ ok: true, value: plaintext });
        expect(xsalsa20poly1305(key, nonce).decrypt(ours.subarray(24))).toEqual(plaintext);
      }),
    );
  });

  test("[S5] neither opens a box with one flipped bit, wherever it is", async () => {
    const flips = fc.tuple(boxes, fc.nat());
    await fc.assert(
      fc.asyncProperty(flips, async ([[key, nonce, plaintext], at]) => {
        const bent = seal(key, nonce, plaintext);
        const bit = at % (8 * bent.length);
        bent[bit >>> 3] = (bent[bit >>> 3] as number) ^ (1 << (bit & 7));
        expect(open(key, bent)).toEqual({ ok: false, error: { type: "not-authentic" } });
        expect(() => xsalsa20poly1305(key, bent.subarray(0, 24)).decrypt(bent.subarray(24))).toThrow();
      }),
    );
  });
});

test("[S2] devices on either implementation, or on a mix of both, form one cohort with an exact sum", async () => {
  const cohort = await SecaggCohort.create({ count: 6, seed: "mixed", lastSteps: new Map([[6, "share"]]) });
  const { sha256, hkdfSha256, aes256CtrKeystream } = webCrypto;
  const mix: Primitives = { ...javascript, sha256, hkdfSha256, aes256CtrKeystream };
  const own = [webCrypto, javascript, mix];
  const devices = cohort.devices.map((device, index) => {
    const primitives = own[index % own.length] as Primitives;
    return Object.assign(device, { tools: { ...device.tools, primitives } });
  });
  expect(new Set(devices.map(({ tools }) => tools.primitives)).size).toBe(3);
  const result = await cohort.run();
  expect(result.kind === "committed" && result.sum).toEqual(cohort.oracle([1, 2, 3, 4, 5]));
});

/** OpenSSL's mask stream in one piece, as bytes read little-endian. */
function oracleWords(key: Bytes, wordCount: number): number[] {
  const stream = createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(4 * wordCount));
  return Array.from({ length: wordCount }, (_, index) => stream.readUInt32LE(4 * index));
}

describe.each([webCrypto, javascript, node])("the mask stream over $name", (primitives) => {
  test("can be read from any word", async () => {
    const key = new Uint8Array(32).fill(7);
    const oracle = oracleWords(key, 400);
    const window = fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200 }));
    await fc.assert(
      fc.asyncProperty(window, async ([first, count]) => {
        expect([...(await keystreamWords(primitives, key, first, count))]).toEqual(
          oracle.slice(first, first + count),
        );
      }),
    );
  });

  test("is added and subtracted modulo 2^32, over several blocks and masks", async () => {
    const length = 2 * 64 * 1024 + 1001;
    const keys = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill));
    const signs = [1, -1, 1] as const;
    const streams = keys.map((key) => oracleWords(key, length));
    const target = Uint32Array.from({ length }, (_, index) => Math.imul(index, 0x9e3779b1));
    const expected = target.map(
      (word, index) =>
        word +
        (streams[0]?.[index] as number) -
        (streams[1]?.[index] as number) +
        (streams[2]?.[index] as number),
    );
    await addMasks(
      primitives,
      target,
      keys.map((key, index) => ({ key, sign: signs[index] as 1 | -1 })),
    );
    expect(Buffer.from(target.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
  });

  test("a block made alone equals the same block of the whole stream", async () => {
    const key = new Uint8Array(32).fill(9);
    const whole = new Uint32Array(70_000);
    await addMasks(primitives, whole, [{ key, sign: 1 }]);
    const part = new Uint32Array(3000);
    await addMasks(primitives, part, [{ key, sign: 1 }], 65_537);
    expect(part).toEqual(whole.slice(65_537, 68_537));
    await addMasks(primitives, whole, [{ key, sign: -1 }]);
    expect(whole.every((word) => word === 0)).toBe(true);
  });
});

test("a key stream read piece by piece equals the one read at once", async () => {
  const lengths = fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 262_100, max: 262_200 })), {
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(bytes(32), fc.nat(2 ** 40), lengths, async (key, firstBlock, pieces) => {
      const stream = node.openAes256CtrKeystream(key, firstBlock);
      const read = pieces.map((length) => {
        const piece = new Uint8Array(length).fill(0xee);
        stream.read(piece);
        return piece;
      });
      const whole = concatBytes(read);
      const expected = await webCrypto.aes256CtrKeystream(key, firstBlock, whole.length);
      expect(Buffer.compare(whole, expected)).toBe(0);
    }),
    { numRuns: 30 },
  );
});

test("there may be more masks than open key streams, starting at any word", async () => {
  const masks = Array.from({ length: 2_100 }, (_, index) => ({
    key: new Uint8Array(32).fill(index).fill(index >> 8, 16),
    sign: index % 3 === 0 ? (-1 as const) : (1 as const),
  }));
  const sums = await Promise.all(
    [node, webCrypto].map(async (primitives) => {
      const target = new Uint32Array(50).fill(5);
      await addMasks(primitives, target, masks, 7);
      return target;
    }),
  );
  expect(sums[0]).toEqual(sums[1]);
  const [{ key } = { key: new Uint8Array(32) }] = masks;
  await addMasks(node, sums[0] as Uint32Array, [{ key, sign: 1 }], 7);
  expect(sums[0]).not.toEqual(sums[1]);
});

test.each([webCrypto, node])(
  "a secret whose bytes have changed is another key, over $name",
  async (primitives) => {
    const secret = new Uint8Array(32).fill(3);
    const point = await javascript.x25519PublicKey(new Uint8Array(32).fill(4));
    for (const fill of [3, 5, 3]) {
      secret.fill(fill);
      const fresh = new Uint8Array(32).fill(fill);
      expect(await primitives.x25519(secret, point)).toEqual(await javascript.x25519(fresh, point));
      expect(await primitives.aes256CtrKeystream(secret, 1, 40)).toEqual(
        await javascript.aes256CtrKeystream(fresh, 1, 40),
      );
    }
  },
);

test("masks are read a few blocks at a time, however many neighbours there are", async () => {
  let inFlight = 0;
  let inFlightMax = 0;
  let largest = 0;
  const counting: Primitives = {
    ...webCrypto,
    aes256CtrKeystream: async (key, firstBlock, byteCount) => {
      inFlightMax = Math.max(inFlightMax, ++inFlight);
      largest = Math.max(largest, byteCount);
      const stream = await webCrypto.aes256CtrKeystream(key, firstBlock, byteCount);
      inFlight--;
      return stream;
    },
  };
  const masks = Array.from({ length: 60 }, (_, index) => ({
    key: new Uint8Array(32).fill(index),
    sign: 1 as const,
  }));
  await addMasks(counting, new Uint32Array(200_000), masks);
  expect(inFlightMax).toBeGreaterThan(1);
  expect(inFlightMax * largest).toBeLessThanOrEqual(8 * 256 * 1024);
});
