import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { LIMITS } from "#shared/protocol/limits.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";
import type { Ring } from "#shared/vector/ring.ts";
import { DEFINITIONS } from "./definitions.ts";
import { KIND_DEFINITIONS } from "./kind-definitions.ts";

/*
 * The bundled tasks, for any number of devices. A task version never changes, so another number of
 * devices (and thus another cohort) is another version; `coordinator/commands/demo/` picks the version.
 */

export const BUNDLED_TASKS = [
  "digits",
  "hmda",
  "fashion-mnist",
  "cps1998",
  "tumours",
  "pen-digits",
  "emoji",
] as const;
export type BundledTask = (typeof BUNDLED_TASKS)[number];

/** A column whose values are sites of their own: each device gets the rows of one value. Other sets are dealt by label. */
export const SITE_COLUMN: Readonly<Partial<Record<BundledTask, string>>> = { cps1998: "region" };

/**
 * Files of this repository for the small ones, Debian's package `dataset-fashion-mnist` for the large one.
 */
export const DEFAULT_DATASET: Readonly<Record<BundledTask, string>> = {
  digits: bundledFile("digits.csv"),
  hmda: bundledFile("hmda.csv"),
  "fashion-mnist": "/usr/share/datasets/fashion-mnist",
  cps1998: bundledFile("cps1998.csv"),
  tumours: bundledFile("tumours.csv"),
  "pen-digits": bundledFile("pen-digits.csv"),
  emoji: bundledFile("emoji.csv"),
};

function bundledFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Fraction of a bundled data set that the coordinator judges models by. Devices keep the same fraction of theirs back. */
export const HELD_OUT_FRACTION = 0.2;

/**
 * @param clientCount  Expected number of devices, at least 3.
 * @param version      Version of the slug, from 1.
 * @param ring         Bits of a coordinate on the wire.
 */
export function bundledTask(name: BundledTask, clientCount: number, version: number, ring: Ring = 32): Task {
  const { aggregation, ...rest } = { ...DEFINITIONS, ...KIND_DEFINITIONS }[name];
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
    evaluation: { heldOutFraction: HELD_OUT_FRACTION, localFraction: HELD_OUT_FRACTION },
  } satisfies z.input<typeof taskSchema>);
}
