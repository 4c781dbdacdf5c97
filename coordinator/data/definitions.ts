import type { z } from "zod";
import type { taskSchema } from "#shared/task/task.ts";

/*
 * What the bundled tasks of classes are. Devices agreed to these words and numbers, so they stay.
 */

export type Definition = Omit<
  z.input<typeof taskSchema>,
  "slug" | "version" | "aggregation" | "evaluation"
> & {
  readonly aggregation: Pick<
    z.input<typeof taskSchema>["aggregation"],
    "clipNormL2" | "weightCap" | "deadlines"
  >;
};

/** @param trainingMs  Time for the training and the adverts. */
export const deadlines = (trainingMs: number) => ({
  recruitingMs: 30_000,
  trainingMs,
  sharingMs: 20_000,
  collectingMs: 30_000,
  confirmingMs: 20_000,
  unmaskingMs: 20_000,
  graceMs: 30_000,
});

export const numeric = (name: string, from: number, to: number) => ({
  name,
  type: "numeric" as const,
  range: [from, to] as [number, number],
});
const yesOrNo = (name: string) => ({ name, type: "categorical" as const, categories: ["no", "yes"] });

export const DEFINITIONS: Readonly<Record<"digits" | "hmda" | "fashion-mnist", Definition>> = {
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
    // Dirichlet(0.5) over 8 devices gives 0.95 to 0.96 after 15 rounds on seeds 1 to 8. One epoch falls short
    // of 0.93.
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
      // 6 numbers and 6 questions with two answers each. `afam` is left out.
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
        // Used to judge models, never as an input.
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
