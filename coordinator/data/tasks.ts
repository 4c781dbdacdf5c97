import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { LIMITS } from "#shared/protocol/limits.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";
import type { Ring } from "#shared/vector/ring.ts";

/*
 * The three tasks that ship, for any number of devices. A task version never changes, so a different number of devices
 * (and with it another cohort) is another version; `coordinator/commands/demo/` picks its number.
 */

export const BUNDLED_TASKS = ["digits", "hmda", "fashion-mnist"] as const;
export type BundledTask = (typeof BUNDLED_TASKS)[number];

/** A file of the repository for the small ones; Debian's package `dataset-fashion-mnist` for the large one. */
export const DEFAULT_DATASET: Readonly<Record<BundledTask, string>> = {
  digits: fileURLToPath(new URL("./digits.csv", import.meta.url)),
  hmda: fileURLToPath(new URL("./hmda.csv", import.meta.url)),
  "fashion-mnist": "/usr/share/datasets/fashion-mnist",
};

/**
 * @param clientCount  Devices that are expected; at least 3.
 * @param version      Of the slug, from 1.
 * @param ring         Bits of a coordinate on the wire.
 */
export function bundledTask(name: BundledTask, clientCount: number, version: number, ring: Ring = 32): Task {
  const { aggregation, ...rest } = DEFINITIONS[name];
  return taskSchema.parse({
    slug: name,
    version,
    ...rest,
    aggregation: {
      strategy: { kind: "fedavg", serverLearningRate: 1 },
      goal: clientCount,
      overSelection: 1,
      cohortSizeMin: Math.min(10, Math.max(3, clientCount - 3)),
      cohortSizeMax: Math.min(LIMITS.rosterSizeMax, clientCount + 8),
      securityModel: "active",
      graph: "complete",
      ring,
      ...aggregation,
    },
    // The devices' own kept-back rows beside the coordinator's held-out set.
    evaluation: { heldOutFraction: 0.2, localFraction: 0.2 },
  } satisfies z.input<typeof taskSchema>);
}

type Definition = Omit<z.input<typeof taskSchema>, "slug" | "version" | "aggregation" | "evaluation"> & {
  readonly aggregation: Pick<
    z.input<typeof taskSchema>["aggregation"],
    "clipNormL2" | "weightCap" | "deadlines"
  >;
};

const deadlines = (trainingMs: number) => ({
  recruitingMs: 30_000,
  trainingMs,
  sharingMs: 20_000,
  collectingMs: 30_000,
  confirmingMs: 20_000,
  unmaskingMs: 20_000,
  graceMs: 30_000,
});

const numeric = (name: string, from: number, to: number) => ({
  name,
  type: "numeric" as const,
  range: [from, to] as [number, number],
});
const yesOrNo = (name: string) => ({ name, type: "categorical" as const, categories: ["no", "yes"] });

const DEFINITIONS: Readonly<Record<BundledTask, Definition>> = {
  digits: {
    invitation: "Help a model read handwriting, and keep yours to yourself",
    learns: "which digit is drawn",
    exampleNoun: { one: "drawing", many: "drawings" },
    dataCard:
      "Optical Recognition of Handwritten Digits, test part: 1,797 pictures of 8 by 8 grey pixels. Alpaydin and Kaynak 1998, UCI Machine Learning Repository, CC BY 4.0.",
    model: {
      format: "tfjs-layers",
      inputShape: [8, 8, 1],
      classCount: 10,
      layers: [
        { className: "Flatten", name: "flatten" },
        { className: "Dense", name: "hidden", units: 32, activation: "relu" },
        { className: "Dense", name: "classes", units: 10, activation: "softmax" },
      ],
    },
    features: {
      kind: "image",
      height: 8,
      width: 8,
      range: [0, 16],
      classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    },
    // Dirichlet(0.5) over 8 devices: 0.95 to 0.96 after 15 rounds on seeds 1 to 8; one epoch is too little for 0.93.
    training: {
      epochs: 5,
      batchSize: 16,
      optimizer: { kind: "sgd", learningRate: 0.05, momentum: 0.9 },
      proximalMu: 0,
    },
    aggregation: { clipNormL2: 8, weightCap: 1_000, deadlines: deadlines(60_000) },
  },
  hmda: {
    invitation: "Help a model learn how mortgages were decided, and keep the applications to yourself",
    learns: "whether a mortgage application is denied",
    exampleNoun: { one: "application", many: "applications" },
    dataCard:
      "Mortgage decisions in Boston 1990, 2,380 applications. Federal Reserve Bank of Boston (Munnell et al. 1996), as distributed with Stock and Watson's textbook.",
    model: {
      format: "tfjs-layers",
      // 6 numbers and 6 questions of two answers each; afam is kept out.
      inputShape: [18],
      classCount: 2,
      layers: [
        { className: "Dense", name: "hidden", units: 16, activation: "relu" },
        { className: "Dense", name: "classes", units: 2, activation: "softmax" },
      ],
    },
    features: {
      kind: "tabular",
      columns: [
        numeric("pirat", 0, 3),
        numeric("hirat", 0, 3),
        numeric("lvrat", 0, 2),
        numeric("chist", 1, 6),
        numeric("mhist", 1, 4),
        yesOrNo("phist"),
        { ...numeric("unemp", 0, 12), unit: "%" },
        yesOrNo("selfemp"),
        yesOrNo("insurance"),
        yesOrNo("condomin"),
        // Judged by, never decided by.
        { ...yesOrNo("afam"), protected: true, input: false },
        yesOrNo("single"),
        yesOrNo("hschool"),
      ],
      label: { name: "deny" },
      classes: ["no", "yes"],
    },
    training: { epochs: 3, batchSize: 16, optimizer: { kind: "adam", learningRate: 0.01 }, proximalMu: 0 },
    aggregation: { clipNormL2: 5, weightCap: 1_000, deadlines: deadlines(60_000) },
  },
  "fashion-mnist": {
    invitation: "Help a model tell clothes apart, and keep your pictures to yourself",
    learns: "which piece of clothing a picture shows",
    exampleNoun: { one: "picture", many: "pictures" },
    dataCard:
      "Fashion-MNIST, the 10,000 test pictures of 28 by 28 grey pixels. Xiao, Rasul and Vollgraf 2017, Zalando SE, MIT licence.",
    model: {
      format: "tfjs-layers",
      inputShape: [28, 28, 1],
      classCount: 10,
      layers: [
        { className: "Flatten", name: "flatten" },
        { className: "Dense", name: "hidden", units: 128, activation: "relu" },
        { className: "Dense", name: "classes", units: 10, activation: "softmax" },
      ],
    },
    features: {
      kind: "image",
      height: 28,
      width: 28,
      range: [0, 255],
      classes: [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
      ],
    },
    training: {
      epochs: 1,
      batchSize: 32,
      optimizer: { kind: "sgd", learningRate: 0.05, momentum: 0.9 },
      proximalMu: 0,
    },
    aggregation: { clipNormL2: 20, weightCap: 20_000, deadlines: deadlines(300_000) },
  },
};
