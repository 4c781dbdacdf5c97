import type { TaskSlug } from "#shared/protocol/ids.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";

/* The tasks of the made-up federation. */

const DEADLINES = {
  recruitingMs: 60_000,
  trainingMs: 120_000,
  sharingMs: 30_000,
  collectingMs: 60_000,
  confirmingMs: 30_000,
  unmaskingMs: 30_000,
  graceMs: 30_000,
};
const aggregation = (goal: number, cohortSizeMin: number) => ({
  strategy: { kind: "fedavg", serverLearningRate: 1 },
  goal,
  overSelection: 1,
  cohortSizeMin,
  cohortSizeMax: goal + 8,
  securityModel: "active",
  graph: "complete",
  deadlines: DEADLINES,
  clipNormL2: 1,
  weightCap: 1_000,
  ring: 32,
});
const dense = (name: string, units: number, activation: string) => ({
  className: "Dense",
  name,
  units,
  activation,
});
const training = {
  epochs: 2,
  batchSize: 16,
  optimizer: { kind: "sgd", learningRate: 0.15, momentum: 0 },
  proximalMu: 0,
};
const evaluation = { heldOutFraction: 0.2, localFraction: 0.2 };
const digitNames = Array.from({ length: 10 }, (_, digit) => String(digit));

export const TASKS: readonly Task[] = [
  {
    slug: "digits" as TaskSlug,
    version: 3,
    invitation: "Help a model read handwriting, and keep yours to yourself",
    learns: "which digit is drawn",
    exampleNoun: { one: "drawing", many: "drawings" },
    dataCard: "UCI optical digits, 8x8, 1,797 rows.",
    model: {
      format: "tfjs-layers",
      inputShape: [8, 8, 1],
      classCount: 10,
      layers: [
        { className: "Flatten", name: "flatten" },
        dense("hidden", 32, "relu"),
        dense("output", 10, "softmax"),
      ],
    },
    features: { kind: "image", height: 8, width: 8, range: [0, 16], classes: digitNames },
    training,
    aggregation: aggregation(8, 5),
    evaluation,
  },
  {
    slug: "hmda" as TaskSlug,
    version: 4,
    invitation: "Help a model learn who gets a mortgage",
    learns: "whether a loan is denied",
    exampleNoun: { one: "application", many: "applications" },
    dataCard: "Boston HMDA, 2,380 rows.",
    model: {
      format: "tfjs-layers",
      inputShape: [2],
      classCount: 2,
      layers: [dense("hidden", 16, "relu"), dense("output", 2, "softmax")],
    },
    features: {
      kind: "tabular",
      columns: [
        { name: "pirat", type: "numeric", range: [0, 3] },
        { name: "lvrat", type: "numeric", range: [0, 2] },
      ],
      label: { name: "deny" },
      classes: ["no", "yes"],
    },
    training,
    aggregation: aggregation(50, 20),
    evaluation,
  },
  {
    slug: "fashion-mnist" as TaskSlug,
    version: 1,
    invitation: "Help a model tell garments apart",
    learns: "which garment is shown",
    exampleNoun: { one: "picture", many: "pictures" },
    dataCard: "Fashion-MNIST, MIT licence.",
    model: {
      format: "tfjs-layers",
      inputShape: [28, 28, 1],
      classCount: 10,
      layers: [
        { className: "Flatten", name: "flatten" },
        dense("hidden", 128, "relu"),
        dense("output", 10, "softmax"),
      ],
    },
    features: { kind: "image", height: 28, width: 28, range: [0, 255], classes: digitNames },
    training,
    aggregation: aggregation(10, 10),
    evaluation,
  },
].map((task) => taskSchema.parse(task));
