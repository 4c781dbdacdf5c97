import { type Task, taskSchema } from "#shared/task/task.ts";

/** A hidden layer. The model then has 8 weights per unit and 3. */
export function hiddenDense(units: number): object {
  return { className: "Dense", name: "hidden", units, activation: "relu" };
}

/** A task over four columns and three classes, for `devices` of them. */
export function smallTask(
  devices: number,
  aggregation: Partial<Task["aggregation"]> = {},
  hidden: readonly object[] = [],
): Task {
  return taskSchema.parse({
    slug: "small",
    version: 1,
    invitation: "Help a model tell three things apart",
    learns: "which of three it is",
    exampleNoun: { one: "row", many: "rows" },
    dataCard: "Made up.",
    model: {
      format: "tfjs-layers",
      inputShape: [4],
      classCount: 3,
      layers: [...hidden, { className: "Dense", name: "out", units: 3, activation: "softmax" }],
    },
    features: {
      kind: "tabular",
      columns: ["a", "b", "c", "d"].map((name) => ({ name, type: "numeric", range: [0, 1] })),
      label: { name: "label" },
      classes: ["x", "y", "z"],
    },
    training: {
      epochs: 1,
      batchSize: 8,
      optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0 },
      proximalMu: 0,
    },
    aggregation: {
      strategy: { kind: "fedavg", serverLearningRate: 1 },
      goal: devices,
      overSelection: 1,
      cohortSizeMin: 3,
      cohortSizeMax: devices + 8,
      securityModel: "active",
      graph: "complete",
      deadlines: {
        recruitingMs: 60_000,
        trainingMs: 60_000,
        sharingMs: 30_000,
        collectingMs: 60_000,
        confirmingMs: 30_000,
        unmaskingMs: 30_000,
        graceMs: 60_000,
      },
      // Long enough for a test to look at a round that recruits.
      recruitingMinMs: 2_000,
      clipNormL2: 1,
      weightCap: 1_000,
      ring: 32,
      ...aggregation,
    },
    evaluation: { heldOutFraction: 0.2, localFraction: 0.2 },
  });
}
