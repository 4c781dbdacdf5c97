import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import {
  bytesToFloats,
  bytesToWords,
  chunkTree,
  floatsToBytes,
  VECTOR_CHUNK_BYTES,
  wordsToBytes,
} from "#shared/codec/vector-bytes.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { AssertionFault } from "#shared/kernel/assert.ts";
import { layoutData, vectorLayout } from "#shared/vector/layout.ts";
import type { Contribution } from "#shared/vector/segment.ts";
import { SENTINEL_COUNT } from "#shared/vector/segments/sentinels.ts";
import { decodeVector, encodeVector, segmentOf } from "#test/kit/vectors.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const terms = { parameterCount: 3, cohortSizeMax: 20, clipNormL2: 2, weightCap: 100 };
const layout = vectorLayout(terms);
const metrics = { count: 4, lossSum: 2.5, correct: 3 };
const key = new Uint8Array(32).fill(3);

function encode(changes: Partial<Contribution>) {
  const update = Float32Array.of(0.5, -0.25, 0);
  const contribution = { update, numExamples: 50, metricsBefore: metrics, metricsAfter: metrics, ...changes };
  return encodeVector(primitives, layout, contribution, key);
}

async function encodedWords(changes: Partial<Contribution> = {}) {
  const result = await encode(changes);
  if (!result.ok) throw new Error(result.error.type);
  return result.value.words;
}

describe("the layout", () => {
  test("is contiguous, with the sentinels last", () => {
    expect(layout.segments.map(({ name, offset, length }) => [name, offset, length])).toEqual([
      ["update", 0, 3],
      ["weight", 3, 1],
      ["metrics", 4, 6],
      ["sentinels", 10, 4],
    ]);
    expect(layout.length).toBe(14);
    expect(layout.segments.at(-1)?.name).toBe("sentinels");
    expect(SENTINEL_COUNT).toBe(4);
  });

  test("Q is the smaller of 2^26 and floor((2^31 - 1) / cohortSizeMax)", () => {
    const quantizedMax = (cohortSizeMax: number) =>
      segmentOf(vectorLayout({ ...terms, cohortSizeMax }), "update").clip.quantizedMax;
    expect(quantizedMax(20)).toBe(2 ** 26);
    expect(quantizedMax(31)).toBe(2 ** 26);
    expect(quantizedMax(32)).toBe(67_108_863);
    expect(quantizedMax(100)).toBe(21_474_836);
  });

  test("no sum of cohortSizeMax devices exceeds the signed ring, whatever the terms", () => {
    for (const cohortSizeMax of [1, 3, 50, 255]) {
      for (const weightCap of [1, 10, 4096, 1_000_000]) {
        const built = vectorLayout({ ...terms, cohortSizeMax, weightCap });
        const largest = [
          segmentOf(built, "update").clip.quantizedMax,
          segmentOf(built, "weight").clip.max,
          segmentOf(built, "sentinels").clip.value,
          ...segmentOf(built, "metrics").clip.slots.map(({ max }) => max),
        ];
        for (const max of largest) expect(BigInt(max) * BigInt(cohortSizeMax) < 2n ** 31n).toBe(true);
      }
    }
  });

  test("terms that do not fit the ring are a fault", () => {
    expect(() => vectorLayout({ ...terms, weightCap: 2 ** 31, cohortSizeMax: 1 })).toThrow(AssertionFault);
    expect(() => vectorLayout({ ...terms, weightCap: 2 ** 24, cohortSizeMax: 128 })).toThrow(AssertionFault);
    expect(() => vectorLayout({ ...terms, clipNormL2: 0 })).toThrow(AssertionFault);
    expect(() => vectorLayout({ ...terms, parameterCount: 0 })).toThrow(AssertionFault);
  });

  test("hashes this text: what devices agree to for each segment, and no offsets", () => {
    const names = ["before", "after"].flatMap((side) =>
      ["count", "lossSum", "correct"].map((sum) => `${side}.${sum}`),
    );
    const slots = names.map((name) =>
      name.endsWith("lossSum")
        ? `{"max":${32 * 100 * 2 ** 15},"name":"${name}","scale":${2 ** 15}}`
        : `{"max":100,"name":"${name}","scale":1}`,
    );
    const rest = (publish: string) => `"noise":null,"publish":"${publish}","ring":32}`;
    const clip =
      '{"coordinate":2,"kind":"l2","normL2":2,"parameterCount":3,"quantizedMax":67108864,"rotated":false,"weightCap":100}';
    expect(canonicalJson(layoutData(vectorLayout({ ...terms, ring: 32 })))).toBe(
      `{"cohortSizeMax":20,"segments":[` +
        `{"clip":${clip},"length":3,"name":"update",${rest("public")},` +
        `{"clip":{"kind":"cap","max":100},"length":1,"name":"weight",${rest("public")},` +
        `{"clip":{"countMax":100,"kind":"slots","lossPerExampleMax":32,"slots":[${slots.join()}]},"length":6,"name":"metrics",${rest("evidence")},` +
        `{"clip":{"kind":"constant","value":1},"length":4,"name":"sentinels",${rest("public")}],"version":2}`,
    );
  });

  test("has one canonical text, which changes with every term", () => {
    const texts = [
      terms,
      { ...terms, parameterCount: 4 },
      { ...terms, cohortSizeMax: 21 },
      { ...terms, clipNormL2: 2.5 },
      { ...terms, weightCap: 99 },
      { ...terms, ring: 16 as const },
      { ...terms, ring: 16 as const, rotated: false },
      { ...terms, rotated: true },
    ].map((each) => canonicalJson(layoutData(vectorLayout(each))));
    expect(new Set(texts).size).toBe(texts.length);
    expect(canonicalJson(layoutData(vectorLayout({ ...terms })))).toBe(texts[0]);
  });
});

describe("a device's vector", () => {
  test("by hand: with half the weight, half of Q times the update over B", async () => {
    const words = await encodedWords();
    const q = 2 ** 26;
    expect([...new Int32Array(words.buffer)]).toEqual([
      (q * 0.5 * 0.5) / 2,
      (q * 0.5 * -0.25) / 2,
      0,
      50,
      4,
      2.5 * lossScale(),
      3,
      4,
      2.5 * lossScale(),
      3,
      1,
      1,
      1,
      1,
    ]);
  });

  test("numExamples above the cap count as the cap", async () => {
    expect((await encodedWords({ numExamples: 1_000_000 }))[3]).toBe(100);
  });

  test.each([
    [Float32Array.of(0, Number.NaN, 0), 1],
    [Float32Array.of(0, 1, Number.POSITIVE_INFINITY), 2],
    [Float32Array.of(Number.NEGATIVE_INFINITY, Number.NaN, 0), 0],
  ])("an update that is not finite is refused with its first bad index", async (update, index) => {
    expect(await encode({ update })).toEqual({ ok: false, error: { type: "non-finite-update", index } });
  });

  test("the largest floats are finite: they are clipped, not refused", async () => {
    const result = await encode({ update: new Float32Array(3).fill(3.4e38) });
    expect(result.ok && Math.hypot(...result.value.clippedUpdate)).toBeCloseTo(2, 5);
  });

  test.each([0, -1, 1.5, Number.NaN])("%d examples are refused", async (numExamples) => {
    expect(await encode({ numExamples })).toEqual({ ok: false, error: { type: "no-examples" } });
  });

  test("metrics: more rows than the cap keep their means; a diverged loss is the largest; no rows give zeros", async () => {
    const slots = async (metricsAfter: typeof metrics) => [
      ...(await encodedWords({ metricsAfter })).subarray(7, 10),
    ];
    const scale = lossScale();
    expect(await slots({ count: 1000, lossSum: 500, correct: 250 })).toEqual([100, 50 * scale, 25]);
    expect(await slots({ count: 4, lossSum: Number.NaN, correct: 1 })).toEqual([4, 4 * 32 * scale, 1]);
    expect(await slots({ count: 4, lossSum: Number.POSITIVE_INFINITY, correct: 1 })).toEqual([
      4,
      4 * 32 * scale,
      1,
    ]);
    expect(await slots({ count: 0, lossSum: 0, correct: 0 })).toEqual([0, 0, 0]);
  });

  function lossScale(): number {
    return segmentOf(layout, "metrics").clip.slots[1]?.scale as number;
  }
});

describe("reading a sum", () => {
  test("[S2] a wrong sentinel is refused, each of the four", async () => {
    const words = await encodedWords();
    expect(decodeVector(layout, words, 1).ok).toBe(true);
    for (let slot = 0; slot < 4; slot++) {
      const bent = words.slice();
      bent[10 + slot] = 2;
      expect(decodeVector(layout, bent, 1)).toEqual({
        ok: false,
        error: { type: "sentinel", segment: "sentinels", index: slot, value: 2 },
      });
    }
    expect(decodeVector(layout, words, 2)).toMatchObject({ ok: false, error: { type: "sentinel" } });
  });

  test.each([
    ["update", 0, 2 ** 26 + 1],
    ["update", 2, -(2 ** 26) - 1],
    ["weight", 3, 0],
    ["weight", 3, 101],
    ["weight", 3, -1],
    ["metrics", 4, 101],
    ["metrics", 6, -1],
    ["metrics", 9, 101],
  ] as const)("[S2] a %s word %i of %i cannot be honest", async (segment, word, value) => {
    const bent = await encodedWords();
    bent[word] = value;
    const index = word - segmentOf(layout, segment).offset;
    expect(decodeVector(layout, bent, 1)).toEqual({
      ok: false,
      error: { type: "range", segment, index, value },
    });
  });

  test("the bounds themselves are allowed", async () => {
    const words = await encodedWords();
    words[0] = 2 ** 26;
    words[1] = -(2 ** 26);
    words[3] = 100;
    expect(decodeVector(layout, words, 1).ok).toBe(true);
  });

  test("metrics come back in their own units", async () => {
    const decoded = decodeVector(layout, await encodedWords(), 1);
    expect(decoded.ok && decoded.value.metrics).toEqual({ before: metrics, after: metrics });
  });
});

describe("words and bytes", () => {
  test("little-endian both ways, sharing memory if the platform does too", () => {
    const words = Uint32Array.of(1, 0xdeadbeef);
    const bytes = wordsToBytes(words);
    expect(Buffer.from(bytes).toString("hex")).toBe("01000000efbeadde");
    expect(bytes.buffer).toBe(words.buffer);
    expect(bytesToWords(bytes)).toEqual(words);
    expect(bytesToWords(bytes).buffer).toBe(words.buffer);
    const shifted = new Uint8Array([9, ...bytes]).subarray(1);
    expect(bytesToWords(shifted)).toEqual(words);
    expect(bytesToFloats(floatsToBytes(Float32Array.of(1.5, -2)))).toEqual(Float32Array.of(1.5, -2));
    expect(Buffer.from(floatsToBytes(Float32Array.of(1))).toString("hex")).toBe("0000803f");
    expect(() => bytesToWords(new Uint8Array(3))).toThrow(AssertionFault);
  });

  test("the chunk tree is RFC 6962 over 64-KiB chunks, the last one shorter", async () => {
    const bytes = new Uint8Array(2 * VECTOR_CHUNK_BYTES + 100).map((_, index) => (index * 31) & 255);
    const leaf = (from: number, to: number) =>
      createHash("sha256").update(Buffer.of(0)).update(bytes.subarray(from, to)).digest();
    const node = (left: Buffer, right: Buffer) =>
      createHash("sha256")
        .update(Buffer.concat([Buffer.of(1), left, right]))
        .digest();
    const expected = node(node(leaf(0, 65_536), leaf(65_536, 131_072)), leaf(131_072, bytes.length));
    const tree = await chunkTree(primitives, bytes);
    expect(Buffer.from(tree.root).equals(expected)).toBe(true);
    expect(tree.size).toBe(3);
  });
});
