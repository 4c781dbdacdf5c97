import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type BundledTask, bundledTask, DEFAULT_DATASET } from "#coordinator/data/tasks.ts";
import { readCsv } from "#shared/data/read-csv.ts";
import { openEngine } from "#shared/engine/engine.ts";
import type { ModelSource } from "#shared/export/source.ts";
import { elementCount } from "#shared/kernel/shape.ts";
import { type Dataset, pickRows } from "#shared/task/dataset.ts";
import type { LearnedTask } from "#shared/task/engine.ts";
import type { Features } from "#shared/task/features.ts";
import { type ModelSpec, modelTensors } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { classesOf } from "#shared/task/target.ts";

/* Models with rows to try them on, both as people have them and as the engine takes them. */

/** A row by its columns, or the numbers of a picture or a series. */
export type Row = Readonly<Record<string, string | number>> | readonly number[];

export interface ExportCase {
  readonly source: ModelSource;
  readonly rows: readonly Row[];
  readonly dataset: Dataset;
}

const ROWS = 40;
export const BUNDLED = ["digits", "hmda", "cps1998", "tumours", "pen-digits", "emoji"] as const;

/** A bundled task with its real rows and random weights. */
export function bundledCase(name: BundledTask): ExportCase {
  const task = bundledTask(name, 12, 1);
  const text = readFileSync(DEFAULT_DATASET[name], "utf8");
  const read = readCsv(text, task.features);
  if (!read.ok) throw new Error(read.error.sentence);
  const [header = "", ...lines] = text.trim().split(/\r?\n/);
  const names = header.split(",");
  const rows = lines.slice(0, ROWS).map((line) => {
    const cells = line.split(",");
    return rowOf(task.features, (column) => cells[names.indexOf(column)] ?? "");
  });
  const first = Uint32Array.from({ length: ROWS }, (_, index) => index);
  return { source: sourceOf(name, task, 0.5), rows, dataset: pickRows(read.value.dataset, first) };
}

function rowOf(features: Features, cell: (column: string) => string): Row {
  if (features.kind === "image") {
    const length = features.height * features.width * (features.channels ?? 1);
    return Array.from({ length }, (_, index) => Number(cell(`p${index}`)));
  }
  if (features.kind === "series") {
    const steps = Array.from({ length: features.length }, (_, step) => step);
    return steps.flatMap((step) => features.channels.map(({ name }) => Number(cell(`${name}${step}`))));
  }
  return Object.fromEntries(
    features.columns
      .filter(({ input }) => input)
      .map(({ name, type }) => [name, type === "numeric" ? Number(cell(name)) : cell(name)]),
  );
}

/** Any model of pictures or series, with random rows and weights. */
export function modelCase(name: string, model: ModelSpec): ExportCase {
  const [first = 0, second = 0, third] = model.inputShape;
  const classes = ["a", "b", "c"];
  const range: [number, number] = [0, 1];
  const features: Features =
    third === undefined
      ? {
          kind: "series",
          length: first,
          channels: Array.from({ length: second }, (_, index) => ({ name: `c${index}_`, range })),
          label: { name: "label" },
          classes,
        }
      : { kind: "image", height: first, width: second, channels: third === 3 ? 3 : 1, range, classes };
  const uniform = seededUniform(9);
  const length = elementCount(model.inputShape);
  const rows = Array.from({ length: ROWS }, () => Array.from({ length }, () => Math.fround(uniform())));
  const { training } = bundledTask("digits", 12, 1);
  return {
    source: sourceOf(name, { model, features, training }, 2),
    rows,
    dataset: { inputs: Float32Array.from(rows.flat()), labels: new Float32Array(ROWS), count: ROWS },
  };
}

function sourceOf(name: string, { model, features, training }: LearnedTask, spread: number): ModelSource {
  const uniform = seededUniform(5);
  const { parameterCount: length } = modelTensors(model);
  return {
    name,
    about: `A model of ${name}`,
    task: { model, features, training },
    weights: Float32Array.from({ length }, () => spread * (2 * uniform() - 1)),
    metadata: { task: name, version: "1" },
  };
}

/** What a format's runtime answers for the rows, one after the other: probabilities or numbers. */
export interface FormatAnswers {
  readonly values: readonly number[];
  /** The likeliest class of each row, if the format names it. */
  readonly labels: readonly unknown[] | null;
}

const engine = openEngine({ wasmPaths: null });

/** Compares with the engine's answers. The tolerance is 1e-5, relative for numbers above 1. */
export async function expectEngineAnswers(
  { source, dataset }: ExportCase,
  got: FormatAnswers,
): Promise<void> {
  await engine.use("cpu", false);
  const { task, weights } = source;
  const wanted = await engine.answers(task, weights, dataset);
  const classes = classesOf(task.features);
  expect(got.values.length).toBe(wanted.length);
  const errors = Array.from(
    wanted,
    (value, index) => Math.abs(value - (got.values[index] ?? Number.NaN)) / Math.max(1, Math.abs(value)),
  );
  expect(Math.max(...errors)).toBeLessThanOrEqual(1e-5);
  // Otherwise a model that says the same of every row would pass.
  expect(new Set(got.values).size).toBeGreaterThan(Math.max(classes.length, 5));
  if (got.labels === null) return;
  const labels = Array.from({ length: dataset.count }, (_, row) => {
    const own = wanted.subarray(row * classes.length, (row + 1) * classes.length);
    return classes[own.indexOf(Math.max(...own))];
  });
  expect(got.labels).toEqual(labels);
}
