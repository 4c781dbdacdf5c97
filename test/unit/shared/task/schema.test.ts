import { describe, expect, test } from "vitest";
import { tensorShapes } from "#shared/layers/chain.ts";
import { taskSchema } from "#shared/task/task.ts";
import { staysWithinPlan } from "#shared/task/training-plan.ts";

const valid = {
  slug: "digits",
  version: 1,
  invitation: "Help a model read handwriting",
  learns: "which digit is drawn",
  exampleNoun: { one: "drawing", many: "drawings" },
  dataCard: "UCI optical digits, CC BY 4.0",
  model: {
    format: "tfjs-layers",
    inputShape: [8, 8, 1],
    classCount: 10,
    layers: [
      { className: "Flatten", name: "flatten" },
      { className: "Dense", name: "hidden", units: 32, activation: "relu" },
      { className: "Dense", name: "output", units: 10, activation: "softmax" },
    ],
  },
  features: { kind: "image", height: 8, width: 8, range: [0, 16], classes: [..."0123456789"] },
  training: {
    epochs: 2,
    batchSize: 32,
    optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0 },
    proximalMu: 0,
  },
  aggregation: {
    strategy: { kind: "fedavg", serverLearningRate: 1 },
    goal: 8,
    overSelection: 1,
    cohortSizeMin: 5,
    cohortSizeMax: 16,
    securityModel: "active",
    graph: "complete",
    deadlines: {
      recruitingMs: 10_000,
      trainingMs: 30_000,
      sharingMs: 10_000,
      collectingMs: 10_000,
      confirmingMs: 10_000,
      unmaskingMs: 10_000,
      graceMs: 10_000,
    },
    clipNormL2: 10,
    weightCap: 1_000,
    ring: 32,
  },
  evaluation: { heldOutFraction: 0.2, localFraction: 0.2 },
} as const;

/** The valid task with one field replaced, by path. */
function withField(path: string, value: unknown): unknown {
  const task = structuredClone(valid) as unknown as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() as string;
  let at: Record<string, unknown> = task;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[last] = value;
  return task;
}

describe("the task's schema", () => {
  test("accepts a task, and its own output again", () => {
    const once = taskSchema.parse(valid);
    expect(taskSchema.parse(once)).toEqual(once);
    expect(once).toEqual(valid);
  });

  test("the ring is 32 bits unless it says 16", () => {
    const ringOf = (value: unknown) =>
      taskSchema.parse(withField("aggregation.ring", value)).aggregation.ring;
    expect([ringOf(undefined), ringOf(32), ringOf(16)]).toEqual([32, 32, 16]);
  });

  test("[R3] recruiting's minimum time may be left out, and a task without one keeps its hash", () => {
    const parse = (value: unknown) => taskSchema.safeParse(withField("aggregation.recruitingMinMs", value));
    for (const value of [0, 700, 10_000]) expect(parse(value).data?.aggregation.recruitingMinMs).toBe(value);
    // No default is filled in: the hash that devices agreed to covers what the task says.
    expect(Object.keys(taskSchema.parse(valid).aggregation)).not.toContain("recruitingMinMs");
    expect(parse(10_001).error?.issues).toMatchObject([
      { path: ["aggregation", "recruitingMinMs"], message: expect.stringContaining("recruitingMs") },
    ]);
    for (const value of [-1, 1.5, null, "700"]) expect(parse(value).success).toBe(false);
  });

  test("[S21] a cohort that does not fit 16 bits is refused, with what to change", () => {
    const parse = (cohortSizeMax: number, ring: 16 | 32) => {
      const { aggregation, ...task } = valid;
      const graph = { kind: "k-regular", corruptShare: 0.05, dropoutShare: 0.05 };
      const plan = { ...aggregation, cohortSizeMax, ring, graph, securityModel: "honest-but-curious" };
      return taskSchema.safeParse({ ...task, aggregation: plan });
    };
    expect(parse(511, 16).error?.issues ?? []).toEqual([]);
    expect(parse(600, 32).error?.issues ?? []).toEqual([]);
    expect(parse(600, 16).error?.issues).toMatchObject([
      {
        path: ["aggregation", "ring"],
        message: expect.stringMatching(/set cohortSizeMax to at most 511, or ring to 32$/),
      },
    ]);
  });

  test("[S21] a model whose masked list is longer than an upload is refused, with what to change", () => {
    const layersOf = (units: number) => [
      { className: "Flatten", name: "flatten" },
      { className: "Dense", name: "wide", units: 1_024, activation: "relu" },
      { className: "Dense", name: "wider", units, activation: "relu" },
      { className: "Dense", name: "output", units: 10, activation: "softmax" },
    ];
    // 66,570 weights and 1,035 more for each unit; 64,776 units make 67,109,730, and 2^26 words are 67,108,864.
    const parse = (units: number, ring: 16 | 32) => {
      const task = withField("model.layers", layersOf(units)) as { aggregation: object };
      return (
        taskSchema.safeParse({ ...task, aggregation: { ...task.aggregation, ring } }).error?.issues ?? []
      );
    };
    for (const ring of [16, 32] as const) {
      expect(parse(64_770, ring)).toEqual([]);
      expect(parse(64_776, ring)).toMatchObject([
        {
          path: ["model", "layers"],
          message: expect.stringMatching(
            /^the masked list would have 67,1\d\d,\d{3} words of 32 bits, and a device sends at most 67,108,864; give/,
          ),
        },
      ]);
    }
    // What does not fit together has no length, and is refused in its own words alone.
    const unfit = withField("model.layers", layersOf(64_776).slice(1));
    expect(taskSchema.safeParse(unfit).error?.issues).toMatchObject([
      { message: expect.stringContaining("Flatten") },
    ]);
  });

  test("[S16] shards that chance would make too small are refused, with what to change", () => {
    const parse = (size: number, goal: number, change = {}) => {
      const { aggregation, ...task } = valid;
      const plan = { ...aggregation, goal, cohortSizeMax: 200, graph: { kind: "shards", size }, ...change };
      return taskSchema.safeParse({ ...task, aggregation: plan }).error?.issues ?? [];
    };
    expect(parse(96, 10_000)).toEqual([]);
    expect(parse(64, 1_000)).toEqual([]);
    expect(parse(16, 1_000)).toMatchObject([
      { path: ["aggregation", "graph"], message: expect.stringMatching(/give it a larger size, up to 128$/) },
    ]);
    expect(parse(96, 1_000, { cohortSizeMax: 90 })).toMatchObject([{ path: ["aggregation", "graph"] }]);
  });

  test("[S17] a sparse graph is refused with the active model", () => {
    const graph = { kind: "k-regular", corruptShare: 0.05, dropoutShare: 0.05 };
    const issues = taskSchema.safeParse(withField("aggregation.graph", graph)).error?.issues;
    expect(issues).toMatchObject([
      { path: ["aggregation", "graph"], message: expect.stringMatching(/honest-but-curious/) },
    ]);
  });

  test.each([
    ["aggregation.ring", 8, "aggregation.ring"],
    ["slug", "Digits!", "slug"],
    ["version", 0, "version"],
    ["aggregation.goal", 4, "aggregation.goal"],
    ["aggregation.cohortSizeMin", 2, "aggregation.cohortSizeMin"],
    ["aggregation.overSelection", 3, "aggregation.cohortSizeMax"],
    ["aggregation.weightCap", 1_000_000_000, "aggregation.weightCap"],
    ["aggregation.clipNormL2", Number.POSITIVE_INFINITY, "aggregation.clipNormL2"],
    ["model.inputShape", [64], "model.inputShape"],
    ["model.classCount", 9, "model.layers"],
    ["model.layers", [{ className: "Lambda", name: "x" }], "model.layers.0.className"],
    [
      "model.layers",
      [{ className: "Dense", name: "output", units: 10, activation: "softmax" }],
      "model.layers",
    ],
    ["features.classes", ["0"], "features.classes"],
    ["training.optimizer", { kind: "sgd", learningRate: -1, momentum: 0 }, "training.optimizer.learningRate"],
    ["evaluation.heldOutFraction", 1, "evaluation.heldOutFraction"],
    ["unexpected", 1, ""],
  ])("refuses %s = %j and says where", (path, value, at) => {
    const parsed = taskSchema.safeParse(withField(path, value));
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.map((issue) => issue.path.join("."))).toContain(at);
  });

  test("column names of a table must be distinct, the label's included", () => {
    const columns = [{ name: "age", type: "numeric", range: [0, 99], protected: false, input: true }];
    const features = { kind: "tabular", columns, label: { name: "age" }, classes: ["no", "yes"] };
    expect(taskSchema.safeParse(withField("features", features)).success).toBe(false);
  });
});

test("[R22] a round's plan stays within the agreed one: at most as many steps, by the same optimizer", () => {
  const agreed = taskSchema.parse(valid).training;
  const sgd = (learningRate: number) => ({ kind: "sgd", learningRate, momentum: 0 }) as const;
  expect(staysWithinPlan(agreed, agreed)).toBe(true);
  expect(staysWithinPlan(agreed, { ...agreed, epochs: 1, optimizer: sgd(0.5) })).toBe(true);
  expect(staysWithinPlan(agreed, { ...agreed, epochs: 4, batchSize: 64 })).toBe(true);
  expect(staysWithinPlan(agreed, { ...agreed, epochs: 3 })).toBe(false);
  expect(staysWithinPlan(agreed, { ...agreed, batchSize: 31 })).toBe(false);
  expect(staysWithinPlan(agreed, { ...agreed, optimizer: { kind: "adam", learningRate: 0.1 } })).toBe(false);
});

describe("tensor shapes", () => {
  test("64-32-10 has 2,410 parameters in the order kernel, bias", () => {
    const shapes = tensorShapes(taskSchema.parse(valid).model);
    expect(shapes).toEqual({
      ok: true,
      value: [
        {
          name: "hidden/kernel",
          shape: [64, 32],
          initializer: { kind: "glorot-uniform", fanIn: 64, fanOut: 32 },
        },
        { name: "hidden/bias", shape: [32], initializer: { kind: "zeros" } },
        {
          name: "output/kernel",
          shape: [32, 10],
          initializer: { kind: "glorot-uniform", fanIn: 32, fanOut: 10 },
        },
        { name: "output/bias", shape: [10], initializer: { kind: "zeros" } },
      ],
    });
  });

  test("a convolutional net, by hand: 28 -> conv 3 valid -> 26 -> pool 2 -> 13 -> conv 3 same stride 2 -> 7", () => {
    const shapes = tensorShapes({
      inputShape: [28, 28, 1],
      layers: [
        {
          className: "Conv2D",
          name: "a",
          filters: 4,
          kernelSize: 3,
          strides: 1,
          padding: "valid",
          activation: "relu",
        },
        { className: "MaxPooling2D", name: "p", poolSize: 2, strides: 2 },
        {
          className: "Conv2D",
          name: "b",
          filters: 6,
          kernelSize: 3,
          strides: 2,
          padding: "same",
          activation: "relu",
        },
        { className: "Flatten", name: "f" },
        { className: "Dense", name: "o", units: 10, activation: "softmax" },
      ],
    });
    expect(shapes.ok && shapes.value.map((tensor) => tensor.shape)).toEqual([
      [3, 3, 1, 4],
      [4],
      [3, 3, 4, 6],
      [6],
      [7 * 7 * 6, 10],
      [10],
    ]);
  });

  test("a layer with an empty output is refused", () => {
    const shapes = tensorShapes({
      inputShape: [2, 2, 1],
      layers: [{ className: "MaxPooling2D", name: "p", poolSize: 3, strides: 1 }],
    });
    expect(shapes).toEqual({ ok: false, error: "p: nothing is left of its input" });
  });
});
