// Positive controls of the 16-bit ring: each fault, planted in a copy of the product, changes what the oracle sees.
import { describe, expect, test } from "vitest";
import * as rotation from "#shared/codec/rotation.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import * as fedavg from "#shared/strategy/fedavg.ts";
import * as decode from "#shared/vector/decode.ts";
import * as encode from "#shared/vector/encode.ts";
import * as layout from "#shared/vector/layout.ts";
import * as mean from "#shared/vector/mean.ts";
import { update } from "#shared/vector/segments/update.ts";
import { weight } from "#shared/vector/segments/weight.ts";
import { SumOfShards } from "#shared/vector/sum.ts";
import { type Edit, plant } from "#test/kit/planted.ts";
import { oracleNextModel } from "#test/kit/ring-oracle.ts";
import { segmentOf } from "#test/kit/vectors.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const PARAMETERS = 21;
const WEIGHT_CAP = 50;
const COHORT = 40;
const RUN_ID = "0190b4a8d2f07cc1a0b1c2d3e4f50617";
const ROUND = 7;
const metrics = { count: 0, lossSum: 0, correct: 0 };

interface Codec {
  readonly layout: typeof layout;
  readonly rotation: typeof rotation;
  readonly encode: typeof encode;
  readonly decode: typeof decode;
  readonly mean: typeof mean;
  readonly fedavg: typeof fedavg;
}

async function codec(load: <Module>(file: string) => Promise<Module>): Promise<Codec> {
  return {
    layout: await load("shared/vector/layout.ts"),
    rotation: await load("shared/codec/rotation.ts"),
    encode: await load("shared/vector/encode.ts"),
    decode: await load("shared/vector/decode.ts"),
    mean: await load("shared/vector/mean.ts"),
    fedavg: await load("shared/strategy/fedavg.ts"),
  };
}

/** After the rotation one coordinate has the whole update, so a whole cohort reaches the end of the ring. */
const steep = (signs: Float64Array) => Float32Array.from(signs.subarray(0, PARAMETERS));
const slanted = (_: Float64Array, device: number) =>
  Float32Array.from({ length: PARAMETERS }, (_, index) => Math.sin(index * (device + 1)) / 9);

/** True if the next model after a whole cohort's sum equals the oracle's, bit for bit. */
async function isExact(
  used: Codec,
  updateOf: (signs: Float64Array, device: number) => Float32Array,
): Promise<boolean> {
  const terms = used.layout.vectorLayout({
    parameterCount: PARAMETERS,
    cohortSizeMax: COHORT,
    clipNormL2: 3,
    weightCap: WEIGHT_CAP,
    ring: 16,
  });
  const key = await used.rotation.rotationKey(primitives, RUN_ID, ROUND);
  const unit = new Int32Array(32);
  unit[0] = 1;
  const signs = await used.rotation.unrotateSum(primitives, unit, 32, key);
  const sum = new Uint32Array(terms.length);
  const parts: { words: Uint32Array; weight: number }[] = [];
  for (let device = 0; device < COHORT; device++) {
    const encoded = await used.encode.encodeContribution(
      terms,
      {
        update: updateOf(signs, device),
        numExamples: WEIGHT_CAP,
        metricsBefore: metrics,
        metricsAfter: metrics,
      },
      { primitives, roundingKey: new Uint8Array(32).fill(device + 1), rotationKey: key },
    );
    if (!encoded.ok) throw new Error(encoded.error.type);
    const { words, kept } = encoded.value;
    parts.push({ words, weight: kept(weight) });
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (words[i] as number);
  }
  const decoded = used.decode.decodeSum(terms, sum, COHORT);
  if (!decoded.ok) return false;
  const total = new SumOfShards(terms);
  total.add(decoded.value);
  const [coordinateSum, weightSum] = [total.read(update), total.read(weight)];
  const updateSum = await used.mean.updateSumOf(primitives, terms, coordinateSum, key);
  const parent = Float32Array.from({ length: PARAMETERS }, (_, index) => Math.cos(index));
  const mean = used.mean.meanUpdate(terms, updateSum, weightSum);
  const { model } = used.fedavg.fedAvg
    .create({ kind: "fedavg", serverLearningRate: 1 })
    .next({}, parent, mean);
  const { coordinate, quantizedMax } = segmentOf(terms, "update").clip;
  const scale = (coordinate / quantizedMax) * WEIGHT_CAP;
  const expected = oracleNextModel(parent, parts, { runId: RUN_ID, round: ROUND, scale });
  return Buffer.from(model.buffer).equals(Buffer.from(expected.buffer));
}

describe("a whole cohort's sum on the 16-bit ring", () => {
  test("[S20] [S22] is exact, even if every device is at the end of its range", async () => {
    const own: Codec = { layout, rotation, encode, decode, mean, fedavg };
    expect(await isExact(own, steep)).toBe(true);
    expect(await isExact(own, slanted)).toBe(true);
  });

  const file = "shared/codec/rotation.ts";
  const faults: readonly [name: string, edit: Edit][] = [
    [
      "a ring that a cohort does not fit",
      {
        file: "shared/vector/ring.ts",
        find: "2 ** 15 - 1",
        replace: "2 ** 16 - 1",
      },
    ],
    [
      "a borrow that is not given back",
      { file: "shared/codec/packing.ts", find: "(word - low) >> 16", replace: "word >> 16" },
    ],
    [
      "a rotation that is the same in all rounds",
      { file, find: "DOMAINS.rotation, runId, round", replace: "DOMAINS.rotation, runId, 1" },
    ],
    ["signs in another order", { file, find: ">>> (i & 7)", replace: ">>> (7 - (i & 7))" }],
    [
      "a matrix with one sign wrong",
      { file, find: "left - right", replace: "i === 5 ? right - left : left - right" },
    ],
    [
      "a scale that forgets the dimension",
      {
        file: "shared/vector/mean.ts",
        find: "scale / Math.sqrt(coordinateCount(place))",
        replace: "scale",
      },
    ],
  ];

  test.each(faults)("is detected as wrong with %s (positive control)", async (_, edit) => {
    const planted = await plant([edit]);
    try {
      const faulty = await codec((file) => planted.load(file));
      const exact = [await isExact(faulty, steep), await isExact(faulty, slanted)];
      expect(exact).toContain(false);
    } finally {
      await planted.remove();
    }
  });
});
