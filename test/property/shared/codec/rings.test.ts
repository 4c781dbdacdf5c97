// Packing and rotation of the 16-bit ring against the independent oracle in test/kit/ring-oracle.ts.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packPairs, unpackPairs } from "#shared/codec/packing.ts";
import { rotate, rotationKey, unrotateSum, walshHadamard } from "#shared/codec/rotation.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { AssertionFault } from "#shared/kernel/assert.ts";
import { vectorLayout } from "#shared/vector/layout.ts";
import { meanUpdate, updateScale, updateSumOf } from "#shared/vector/mean.ts";
import { ringRefusal } from "#shared/vector/ring.ts";
import { bitsPerWeight } from "#shared/vector/segments/update.ts";
import { plant } from "#test/kit/planted.ts";
import { hadamard, oraclePair, oracleSigns, oracleUnrotate } from "#test/kit/ring-oracle.ts";
import { coordinatesOf, decodeVector, encodeVector, segmentOf } from "#test/kit/vectors.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const RUN_ID = "0190b4a8d2f07cc1a0b1c2d3e4f50617";
const metrics = { count: 10, lossSum: 12.5, correct: 7 };

type Packing = typeof import("#shared/codec/packing.ts");

const half = fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 });
/** Devices whose sums fit 16 bits, up to the largest; each device's values are within its share of the range. */
const packed = fc
  .record({ devices: fc.integer({ min: 1, max: 40 }), count: fc.integer({ min: 1, max: 33 }) })
  .chain(({ devices, count }) => {
    const max = Math.floor((2 ** 15 - 1) / devices);
    const edge = fc.constantFrom(-max, max, -1, 0);
    const value = fc.oneof(edge, fc.integer({ min: -max, max }));
    return fc.array(fc.array(value, { minLength: count, maxLength: count }), {
      minLength: devices,
      maxLength: devices,
    });
  });

/** True if the sum of all devices' masked words reads as the sums of their values. */
async function sumsAreExact({ packPairs, unpackPairs }: Packing, lists: number[][]): Promise<boolean> {
  const count = lists[0]?.length ?? 0;
  const sum = new Uint32Array(Math.ceil(count / 2));
  for (const [device, values] of lists.entries()) {
    const words = new Uint32Array(sum.length);
    packPairs(Int32Array.from(values), words);
    await addMasks(primitives, words, [{ key: new Uint8Array(32).fill(device), sign: 1 }]);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (words[i] as number);
  }
  const masks = lists.map((_, device) => ({ key: new Uint8Array(32).fill(device), sign: -1 as const }));
  await addMasks(primitives, sum, masks);
  const read = unpackPairs(sum, count);
  return (
    lists[0]?.every((_, i) => read[i] === lists.reduce((all, values) => all + (values[i] ?? 0), 0)) === true
  );
}

describe("packing", () => {
  test("[S20] sums of masked words read as the sums of their numbers, whatever was carried", async () => {
    await fc.assert(
      fc.asyncProperty(packed, async (lists) => sumsAreExact({ packPairs, unpackPairs }, lists)),
    );
  });

  test("[S20] each pair of 16-bit numbers has its own word, and the oracle reads the same two", () => {
    fc.assert(
      fc.property(half, half, (low, high) => {
        const words = new Uint32Array(1);
        packPairs(Int32Array.of(low, high), words);
        expect(unpackPairs(words, 2)).toEqual(Int32Array.of(low, high));
        expect(oraclePair(words[0] as number)).toEqual([BigInt(low), BigInt(high)]);
      }),
    );
    const word = new Uint32Array(1);
    packPairs(Int32Array.of(-1), word);
    expect([word[0], unpackPairs(word, 1)[0]]).toEqual([0xffffffff, -1]);
    expect(() => packPairs(new Int32Array(3), new Uint32Array(1))).toThrow(AssertionFault);
  });

  test.each([
    ["the borrow of the lower half is not given back", "(word - low) >> 16", "word >> 16"],
    [
      "the halves lie the other way round",
      "values[2 * i]! + (values[2 * i + 1]! << 16)",
      "values[2 * i + 1]! + (values[2 * i]! << 16)",
    ],
    ["the lower half is read without its sign", "(word << 16) >> 16", "word & 0xffff"],
  ])("is found out where %s (positive control)", async (_, find, replace) => {
    const planted = await plant([{ file: "shared/codec/packing.ts", find, replace }]);
    try {
      const faulty = await planted.load<Packing>("shared/codec/packing.ts");
      expect(
        await sumsAreExact(faulty, [
          [-3, 7, 0, 1],
          [-2, 1, -1, 0],
        ]),
      ).toBe(false);
    } finally {
      await planted.remove();
    }
  });
});

describe("rotation", () => {
  const signedLists = fc.integer({ min: 1, max: 7 }).chain((bits) =>
    fc.record({
      parameterCount: fc.integer({ min: 2 ** (bits - 1) + 1, max: 2 ** bits }),
      sum: fc.array(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), {
        minLength: 2 ** bits,
        maxLength: 2 ** bits,
      }),
      round: fc.integer({ min: 1, max: 1_000 }),
    }),
  );

  test("[S22] is removed exactly from a sum of whole numbers, by the matrix's definition", async () => {
    await fc.assert(
      fc.asyncProperty(signedLists, async ({ parameterCount, sum, round }) => {
        const key = await rotationKey(primitives, RUN_ID, round);
        const update = await unrotateSum(primitives, Int32Array.from(sum), parameterCount, key);
        const signs = oracleSigns(RUN_ID, round, parameterCount);
        const expected = oracleUnrotate(sum.map(BigInt), parameterCount, signs);
        expect([...update].map(BigInt)).toEqual(expected);
      }),
    );
  });

  test("[S22] is (1 / sqrt d) H D x, keeps the norm, and its inverse gives x back", async () => {
    const vector = fc.array(fc.float({ noNaN: true, min: -8, max: 8 }), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(vector, async (values) => {
        const dimension = 64;
        const update = Float32Array.from(values);
        const key = await rotationKey(primitives, RUN_ID, 3);
        const rotated = await rotate(primitives, update, dimension, key);
        const signs = oracleSigns(RUN_ID, 3, update.length);
        for (const row of [0, 1, 37, 63]) {
          const expected = update.reduce((total, value, column) => {
            return total + (hadamard(row, column) * (signs[column] as number) * value) / 8;
          }, 0);
          expect(rotated[row]).toBeCloseTo(expected, 9);
        }
        expect(Math.hypot(...rotated)).toBeCloseTo(Math.hypot(...update), 6);
        const back = await unrotateSum(primitives, rotated, update.length, key);
        for (const [i, value] of update.entries()) expect((back[i] as number) / 8).toBeCloseTo(value, 9);
      }),
    );
  });

  test("[S22] depends on run and round only", async () => {
    const signsOf = async (runId: string, round: number, use = primitives) => {
      const key = await rotationKey(use, runId, round);
      // H of a unit vector is a row of ones.
      const ones = new Int32Array(256);
      ones[0] = 1;
      return (await unrotateSum(use, ones, 256, key)).join();
    };
    expect(await signsOf(RUN_ID, 3)).toBe(oracleSigns(RUN_ID, 3, 256).join());
    expect(await signsOf(RUN_ID, 3, javascriptPrimitives())).toBe(await signsOf(RUN_ID, 3));
    const others = [await signsOf(RUN_ID, 4), await signsOf(RUN_ID.replace("0190", "0191"), 3)];
    expect(new Set([await signsOf(RUN_ID, 3), ...others]).size).toBe(3);
  });

  test("[S22] stays exact at the largest model: a million coordinates of 2^15 each", () => {
    const values = new Float64Array(2 ** 20).fill(2 ** 15 - 1);
    values[5] = -1;
    walshHadamard(values);
    expect(values[0]).toBe((2 ** 20 - 1) * (2 ** 15 - 1) - 1);
    // Row i is plus or minus the distance of the one odd value from the others.
    expect(values[1]).toBe(2 ** 15);
    expect(values[2]).toBe(-(2 ** 15));
    expect(() => walshHadamard(new Float64Array(6))).toThrow(AssertionFault);
  });
});

describe("the 16-bit layout", () => {
  const terms = {
    parameterCount: 2_410,
    cohortSizeMax: 100,
    clipNormL2: 3,
    weightCap: 50,
    ring: 16,
  } as const;

  test("[S20] has 2 bytes a coordinate, and states its bits per weight", () => {
    const layout = vectorLayout(terms);
    expect(coordinatesOf(layout)).toEqual({ parameterCount: 2_410, count: 4_096, rotated: true });
    expect(segmentOf(layout, "update")).toMatchObject({ offset: 0, length: 2_048, ring: 16 });
    expect(segmentOf(layout, "weight")).toMatchObject({ offset: 2_048, ring: 32 });
    expect(layout.length).toBe(2_048 + 1 + 6 + 4);
    expect(bitsPerWeight(segmentOf(layout, "update"))).toBeCloseTo((16 * 4_096) / 2_410, 9);
    expect(bitsPerWeight(segmentOf(vectorLayout({ ...terms, parameterCount: 2 ** 16 }), "update"))).toBe(16);
    expect(bitsPerWeight(segmentOf(vectorLayout({ ...terms, ring: 32 }), "update"))).toBe(32);
    // Even padded to a power of two, it is never longer than with 32 bits.
    expect(vectorLayout({ ...terms, parameterCount: 2_049 }).length).toBeLessThan(2_049 + 11);
  });

  test("[S21] the largest values of a cohort of up to 511 fit 16 bits; a larger cohort is a fault", () => {
    for (const cohortSizeMax of [1, 3, 100, 255, 511]) {
      const { quantizedMax } = segmentOf(vectorLayout({ ...terms, cohortSizeMax }), "update").clip;
      expect(quantizedMax).toBe(Math.floor(32_767 / cohortSizeMax));
      expect(quantizedMax).toBeGreaterThanOrEqual(64);
    }
    expect(() => vectorLayout({ ...terms, cohortSizeMax: 512 })).toThrow(AssertionFault);
    expect(ringRefusal(16, 511)).toBeNull();
    expect(ringRefusal(16, 512)).toBe(
      "a sum of 512 devices leaves each fewer than 64 steps of 16 bits: set cohortSizeMax to at most 511, or ring to 32",
    );
    expect(ringRefusal(32, 10_000)).toBeNull();
    expect(ringRefusal(32, 2 ** 28)).toContain("at most 33554431");
  });

  test("B is the smallest bound that all but 2^-10 of cohorts stay below, rounded up by bits, and at most L", () => {
    const bound = (parameterCount: number, cohortSizeMax: number) =>
      segmentOf(vectorLayout({ ...terms, parameterCount, cohortSizeMax }), "update").clip.coordinate;
    for (const [d, n] of [
      [2 ** 16, 100],
      [2 ** 20, 64],
      [2 ** 12, 13],
    ] as const) {
      const formula = 3 * Math.sqrt((2 * Math.log(2 * d * n * 1_024)) / d);
      expect(bound(d, n)).toBeGreaterThanOrEqual(formula);
      expect(bound(d, n)).toBeLessThan(1.02 * formula);
    }
    expect(bound(3, 100)).toBe(3);
  });

  test("no coordinate of an update of norm L exceeds B, whatever its direction, in 50 rounds of each", async () => {
    const layout = vectorLayout({ ...terms, parameterCount: 1_024 });
    const { coordinate, normL2 } = segmentOf(layout, "update").clip;
    const shapes = [
      (index: number) => (index === 0 ? 1 : 0),
      (index: number) => (index < 32 ? 1 : 0),
      () => 1,
      (index: number) => (-1) ** index / (index + 1),
    ].map((value) => {
      const values = Float64Array.from({ length: 1_024 }, (_, index) => value(index));
      const norm = Math.hypot(...values);
      return Float32Array.from(values, (each) => (each * normL2) / norm);
    });
    for (let round = 1; round <= 50; round++) {
      const key = await rotationKey(primitives, RUN_ID, round);
      for (const shape of shapes) {
        const rotated = await rotate(primitives, shape, 1_024, key);
        expect(Math.max(...rotated.map(Math.abs))).toBeLessThan(coordinate);
      }
    }
    expect(coordinate).toBeLessThan(normL2 / 4);
  });

  test("[S20] every number of a sum is the oracle's, from the devices' words to the mean", async () => {
    const small = { ...terms, parameterCount: 21, cohortSizeMax: 9 };
    const layout = vectorLayout(small);
    const key = await rotationKey(primitives, RUN_ID, 7);
    const update = fc.array(fc.float({ noNaN: true, min: -4, max: 4 }), { minLength: 21, maxLength: 21 });
    await fc.assert(
      fc.asyncProperty(fc.array(update, { minLength: 1, maxLength: 9 }), async (updates) => {
        const sum = new Uint32Array(layout.length);
        const totals = Array<bigint>(32).fill(0n);
        for (const [device, values] of updates.entries()) {
          const contribution = {
            update: Float32Array.from(values),
            numExamples: 10 + device,
            metricsBefore: metrics,
            metricsAfter: metrics,
          };
          const rounding = new Uint8Array(32).fill(device + 1);
          const encoded = await encodeVector(primitives, layout, contribution, rounding, key);
          if (!encoded.ok) throw new Error(encoded.error.type);
          const { words } = encoded.value;
          for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (words[i] as number);
          for (let i = 0; i < 16; i++) {
            const [low, high] = oraclePair(words[i] as number);
            totals[2 * i] = (totals[2 * i] as bigint) + low;
            totals[2 * i + 1] = (totals[2 * i + 1] as bigint) + high;
          }
        }
        const decoded = decodeVector(layout, sum, updates.length);
        if (!decoded.ok) throw new Error(JSON.stringify(decoded.error));
        expect([...decoded.value.coordinateSum].map(BigInt)).toEqual(totals);
        const updateSum = await updateSumOf(primitives, layout, decoded.value.coordinateSum, key);
        const expected = oracleUnrotate(totals, 21, oracleSigns(RUN_ID, 7, 21));
        expect([...updateSum].map(BigInt)).toEqual(expected);
        const { coordinate, quantizedMax } = segmentOf(layout, "update").clip;
        const scale = ((coordinate / quantizedMax) * 50) / Math.sqrt(32);
        expect(updateScale(layout)).toBe(scale);
        const { weightSum } = decoded.value;
        expect([...meanUpdate(layout, updateSum, weightSum)]).toEqual(
          expected.map((value) => (Number(value) * scale) / weightSum),
        );
      }),
      { numRuns: 40 },
    );
  });

  test("[S2] a sum that honest devices cannot make is out of range, in either half of a word", async () => {
    const layout = vectorLayout({ ...terms, parameterCount: 4, cohortSizeMax: 10 });
    const limit = 3_276;
    const withUpdate = (low: number, high: number) => {
      const words = new Uint32Array(layout.length);
      packPairs(Int32Array.of(low, high), words.subarray(0, 1));
      words[segmentOf(layout, "weight").offset] = 1;
      words.fill(1, segmentOf(layout, "sentinels").offset);
      return words;
    };
    expect(decodeVector(layout, withUpdate(limit, -limit), 1).ok).toBe(true);
    const range = { type: "range", segment: "update" };
    expect(decodeVector(layout, withUpdate(limit + 1, 0), 1)).toMatchObject({
      error: { ...range, index: 0 },
    });
    expect(decodeVector(layout, withUpdate(0, -limit - 1), 1)).toMatchObject({
      error: { ...range, index: 1, value: -limit - 1 },
    });
  });
});
