import type { z } from "zod";
import type { taskSchema } from "#shared/task/task.ts";

/* What the definitions of bundled tasks are made of. */

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
export const yesOrNo = (name: string) => ({ name, type: "categorical" as const, categories: ["no", "yes"] });

const hidden = (units: number) =>
  ({ className: "Dense", name: "hidden", units, activation: "relu" }) as const;
const classesOf = (count: number) =>
  ({ className: "Dense", name: "classes", units: count, activation: "softmax" }) as const;

/** A hidden layer over the columns of a table. */
export const tableModel = (width: number, hiddenUnits: number, classCount: number) => ({
  format: "tfjs-layers" as const,
  inputShape: [width],
  classCount,
  layers: [hidden(hiddenUnits), classesOf(classCount)],
});

/** A hidden layer over the values of a picture. */
export const pictureModel = (
  inputShape: [height: number, width: number, channels: number],
  hiddenUnits: number,
  classCount: number,
) => ({
  format: "tfjs-layers" as const,
  inputShape,
  classCount,
  layers: [{ className: "Flatten", name: "flatten" } as const, hidden(hiddenUnits), classesOf(classCount)],
});

export const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));
export const sgd = { kind: "sgd", learningRate: 0.05, momentum: 0.9 } as const;
export const adam = (learningRate: number) => ({ kind: "adam", learningRate }) as const;
