import { createCipheriv, createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { tensorLayout } from "#shared/codec/tensors.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { AssertionFault } from "#shared/kernel/assert.ts";
import { biasTensor, kernelTensor } from "#shared/layers/initializer.ts";
import { strategyOf, strategySchema } from "#shared/strategy/index.ts";
import { initialModel } from "#shared/strategy/initialize.ts";
import { strategyStateFromBytes, strategyStateToBytes } from "#shared/strategy/state-bytes.ts";
import { voidStep } from "#shared/strategy/void-step.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const fedAvg = strategyOf({ kind: "fedavg", serverLearningRate: 1 });
const fedAvgM = strategyOf({ kind: "fedavgm", serverLearningRate: 0.5, momentum: 0.9 });
const fedAdam = strategyOf({ kind: "fedadam", serverLearningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 0.001 });
const mean = Float64Array.of(0.25, -0.5);

describe("strategies, by hand", () => {
  test("FedAvg adds the mean", () => {
    const step = fedAvg.next({}, Float32Array.of(1, 1), mean);
    expect(step.model).toEqual(Float32Array.of(1.25, 0.5));
    expect(step.state).toEqual({});
    const slow = strategyOf({ kind: "fedavg", serverLearningRate: 0.5 });
    expect(slow.next({}, Float32Array.of(1, 1), mean).model).toEqual(Float32Array.of(1.125, 0.75));
  });

  test("FedAvgM carries its velocity", () => {
    // v1 = d, w1 = w + d/2; v2 = 1.9 d, w2 = w1 + 0.95 d.
    const first = fedAvgM.next(fedAvgM.initialState(2), Float32Array.of(1, 1), mean);
    expect(first.model).toEqual(Float32Array.of(1.125, 0.75));
    expect(first.state["velocity"]).toEqual(Float32Array.of(0.25, -0.5));
    const second = fedAvgM.next(first.state, first.model, mean);
    expect(second.state["velocity"]).toEqual(Float32Array.of(0.475, -0.95));
    expect(second.model[0]).toBeCloseTo(1.3625, 6);
    expect(second.model[1]).toBeCloseTo(0.275, 6);
  });

  test("FedAdam: two steps computed on paper", () => {
    // d = 0.25, tau = 0.001, v0 = 1e-6.
    // m1 = 0.025, v1 = 0.99e-6 + 0.01 * 0.0625 = 6.2599e-4, sqrt = 0.02501979..., w1 = 1 + 0.0025 / 0.02601979...
    const first = fedAdam.next(fedAdam.initialState(2), Float32Array.of(1, 1), mean);
    expect(first.state["firstMoment"]?.[0]).toBeCloseTo(0.025, 8);
    expect(first.state["secondMoment"]?.[0]).toBeCloseTo(0.00062599, 9);
    expect(first.model[0]).toBeCloseTo(1 + 0.0025 / (0.0250197921655 + 0.001), 6);
    // d = -0.5: m1 = -0.05, v1 = 0.99e-6 + 0.0025 = 0.00250099, sqrt = 0.0500098990...
    expect(first.model[1]).toBeCloseTo(1 - 0.005 / (0.050009899 + 0.001), 6);
    // m2 = 0.9 * 0.025 + 0.1 * 0.25 = 0.0475, v2 = 0.99 * 6.2599e-4 + 6.25e-4 = 0.0012447301, sqrt = 0.0352807327...
    const second = fedAdam.next(first.state, first.model, mean);
    expect(second.state["firstMoment"]?.[0]).toBeCloseTo(0.0475, 8);
    expect(second.state["secondMoment"]?.[0]).toBeCloseTo(0.0012447301, 9);
    expect((second.model[0] as number) - (first.model[0] as number)).toBeCloseTo(
      0.00475 / (0.0352807327 + 0.001),
      6,
    );
  });

  test("FedAdam starts at v = tau squared", () => {
    const state = fedAdam.initialState(3);
    expect(state["secondMoment"]).toEqual(new Float32Array(3).fill(0.001 * 0.001));
    expect(state["firstMoment"]).toEqual(new Float32Array(3));
  });

  test("no input is modified", () => {
    for (const strategy of [fedAvg, fedAvgM, fedAdam]) {
      const state = strategy.initialState(2);
      const before = structuredClone(state);
      const model = Float32Array.of(1, 1);
      strategy.next(state, model, mean);
      expect(state).toEqual(before);
      expect(model).toEqual(Float32Array.of(1, 1));
    }
  });

  test("a state of another strategy or length is a fault", () => {
    expect(() => fedAdam.next(fedAvgM.initialState(2), Float32Array.of(1, 1), mean)).toThrow(AssertionFault);
    expect(() => fedAvgM.next(fedAvgM.initialState(3), Float32Array.of(1, 1), mean)).toThrow(AssertionFault);
    expect(() => fedAvg.next({}, Float32Array.of(1), mean)).toThrow(AssertionFault);
  });
});

describe("bit-exact", () => {
  test.each([fedAvg, fedAvgM, fedAdam])("$name: twenty steps have one digest", (strategy) => {
    const length = 500;
    let state = strategy.initialState(length);
    let model = Float32Array.from({ length }, (_, index) => Math.fround(((index * 7919) % 1000) / 997 - 0.5));
    const oracle = oracleOf(strategy.name, length, model);
    for (let round = 1; round <= 20; round++) {
      const updateSum = Int32Array.from({ length }, (_, i) => Math.imul(i + 1, round * 0x9e3779b1) >> 6);
      const next = strategy.next(
        state,
        model,
        Float64Array.from(updateSum, (sum) => (sum * 1.7e-6) / (317 + round)),
      );
      ({ state, model } = next);
      expect(
        Buffer.from(model.buffer).equals(Buffer.from(oracle(updateSum, 317 + round, 1.7e-6).buffer)),
      ).toBe(true);
    }
    expect(model.every(Number.isFinite)).toBe(true);
  });

  /** The same update rules, one weight at a time, on plain arrays rounded through DataView. */
  function oracleOf(name: string, length: number, start: Float32Array) {
    const view = new DataView(new ArrayBuffer(4));
    const f32 = (value: number) => {
      view.setFloat32(0, value);
      return view.getFloat32(0);
    };
    const weights = [...start];
    const m = new Array<number>(length).fill(0);
    const v = new Array<number>(length).fill(f32(0.001 * 0.001));
    return (updateSum: Int32Array, weightSum: number, scale: number) => {
      weights.forEach((weight, i) => {
        const d = ((updateSum[i] as number) * scale) / weightSum;
        if (name === "fedavg") weights[i] = f32(weight + d);
        if (name === "fedavgm") {
          m[i] = f32(0.9 * (m[i] as number) + d);
          weights[i] = f32(weight + 0.5 * (m[i] as number));
        }
        if (name === "fedadam") {
          m[i] = f32(0.9 * (m[i] as number) + (1 - 0.9) * d);
          v[i] = f32(0.99 * (v[i] as number) + (1 - 0.99) * (d * d));
          weights[i] = f32(weight + (0.1 * (m[i] as number)) / (Math.sqrt(v[i] as number) + 0.001));
        }
      });
      return Float32Array.from(weights);
    };
  }

  test("a state survives serialization, so a restart computes the same model", () => {
    for (const strategy of [fedAvg, fedAvgM, fedAdam]) {
      const first = strategy.next(strategy.initialState(2), Float32Array.of(1, 1), mean);
      const bytes = strategyStateToBytes(strategy, first.state);
      const restored = strategyStateFromBytes(strategy, 2, bytes);
      if (!restored.ok) throw new Error(restored.error.type);
      expect(strategy.next(restored.value, first.model, mean)).toEqual(
        strategy.next(first.state, first.model, mean),
      );
    }
  });

  test("bytes of another strategy, length or kind are refused", () => {
    const wrong = { ok: false, error: { type: "wrong-state" } };
    const bytes = strategyStateToBytes(fedAvgM, fedAvgM.initialState(2));
    expect(strategyStateFromBytes(fedAvgM, 2, bytes).ok).toBe(true);
    expect(strategyStateFromBytes(fedAvgM, 3, bytes)).toEqual(wrong);
    expect(strategyStateFromBytes(fedAdam, 2, bytes)).toEqual(wrong);
    expect(strategyStateFromBytes(fedAvg, 2, bytes)).toEqual(wrong);
    expect(strategyStateFromBytes(fedAvgM, 2, bytes.slice(0, -1))).toEqual(wrong);
  });
});

/** E(...) and the stream under its hash, by node:crypto. */
function oracleStream(items: (string | number | Buffer)[], byteCount: number): Buffer {
  const encoded = items.map((item) => {
    const bytes = typeof item === "number" ? Buffer.alloc(4) : Buffer.from(item);
    if (typeof item === "number") bytes.writeUInt32BE(item);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  const key = createHash("sha256").update(Buffer.concat(encoded)).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(byteCount));
}

describe("the initial model", () => {
  const layout = tensorLayout([
    { ...kernelTensor([3, 3, 4, 8]), name: "conv/kernel" },
    { ...biasTensor(8), name: "conv/bias" },
    { ...kernelTensor([70, 90]), name: "dense/kernel" },
    { ...biasTensor(90), name: "dense/bias" },
  ]);
  const seed = new Uint8Array(32).fill(5);

  test("follows from the stream under the seed, weight by weight", async () => {
    const stream = oracleStream(["chorus/1/initial-model", Buffer.from(seed)], 4 * layout.parameterCount);
    const model = await initialModel(primitives, layout, seed);
    const expected = (index: number, limit: number) =>
      Math.fround(((2 * stream.readUInt32LE(4 * index)) / 2 ** 32 - 1) * limit);
    // Glorot: window 9, fan in 9 * 4, fan out 9 * 8; then 70 and 90.
    for (const index of [0, 1, 100, 287]) expect(model[index]).toBe(expected(index, Math.sqrt(6 / 108)));
    for (let index = 288; index < 296; index++) expect(model[index]).toBe(0);
    for (const index of [296, 1001, 6595]) expect(model[index]).toBe(expected(index, Math.sqrt(6 / 160)));
    expect(model.subarray(6596).every((weight) => weight === 0)).toBe(true);
    expect(await initialModel(javascriptPrimitives(), layout, seed)).toEqual(model);
  });

  test("has the spread of a uniform distribution, and another seed gives another model", async () => {
    const model = await initialModel(primitives, layout, seed);
    const kernel = model.subarray(296, 6596);
    const limit = Math.sqrt(6 / 160);
    const meanSquare = kernel.reduce((sum, weight) => sum + weight * weight, 0) / kernel.length;
    expect(meanSquare / (limit ** 2 / 3)).toBeGreaterThan(0.95);
    expect(meanSquare / (limit ** 2 / 3)).toBeLessThan(1.05);
    expect(Math.max(...kernel.map(Math.abs))).toBeLessThanOrEqual(limit);
    expect(await initialModel(primitives, layout, new Uint8Array(32).fill(6))).not.toEqual(model);
  });
});

test("the initial model has ones if a tensor asks for ones, between tensors that do not", async () => {
  const tensors = tensorLayout([
    biasTensor(2),
    { name: "gamma", shape: [3], initializer: { kind: "ones" } as const },
    { ...biasTensor(2), name: "beta" },
  ]);
  const model = await initialModel(primitives, tensors, new Uint8Array(32));
  expect([...model]).toEqual([0, 0, 1, 1, 1, 0, 0]);
});

describe("the void step", () => {
  const runId = "0190b4a8d2f07cc1a0b1c2d3e4f50617";
  const model = Float32Array.from({ length: 1003 }, (_, index) => Math.sin(index + 1));

  test("multiplies each weight by 1 + 2^-7 or 1 - 2^-7, as the stream says", async () => {
    const signs = oracleStream(["chorus/1/void", runId, 3], 126);
    const stepped = await voidStep(primitives, model, runId, 3);
    model.forEach((weight, index) => {
      const minus = ((signs[index >> 3] as number) >> (index % 8)) & 1;
      expect(stepped[index]).toBe(Math.fround((weight * (minus ? 127 : 129)) / 128));
      expect(stepped[index]).not.toBe(weight);
    });
    expect(await voidStep(javascriptPrimitives(), model, runId, 3)).toEqual(stepped);
  });

  test("differs between rounds and between runs", async () => {
    const steps = [
      await voidStep(primitives, model, runId, 3),
      await voidStep(primitives, model, runId, 4),
      await voidStep(primitives, model, runId.replace("0190", "0191"), 3),
    ].map((weights) => Buffer.from(weights.buffer).toString("hex"));
    expect(new Set(steps).size).toBe(3);
  });
});

describe("a strategy's options", () => {
  test("have defaults, and a task that states all of them keeps its text", () => {
    const texts = [
      { kind: "fedavg", serverLearningRate: 1 },
      { kind: "fedavgm", serverLearningRate: 1, momentum: 0.9 },
      { kind: "fedadam", serverLearningRate: 0.01, beta1: 0.9, beta2: 0.99, tau: 0.001 },
    ] as const;
    for (const spec of texts) {
      expect(strategySchema.parse({ kind: spec.kind })).toEqual(spec);
      expect(canonicalJson(strategySchema.parse(spec))).toBe(canonicalJson(spec));
    }
    const own = { kind: "fedavgm", serverLearningRate: 0.3, momentum: 0.1 } as const;
    expect(canonicalJson(strategySchema.parse(own))).toBe(canonicalJson(own));
    for (const wrong of [{ kind: "none" }, { ...own, momentum: 1 }, { ...own, tau: 1 }, {}])
      expect(strategySchema.safeParse(wrong).success).toBe(false);
  });
});
