import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type BundledTask, bundledTask, DEFAULT_DATASET } from "#coordinator/data/tasks.ts";
import { encodeInputs } from "#shared/data/encode-row.ts";
import { readCsv } from "#shared/data/read-csv.ts";
import { openEngine } from "#shared/engine/engine.ts";
import type { ModelSource } from "#shared/export/source.ts";
import { elementCount } from "#shared/kernel/shape.ts";
import { type Dataset, pickRows } from "#shared/task/dataset.ts";
import type { LearnedTask } from "#shared/task/engine.ts";
import { type Features, inputShape, inputSize, type TabularFeatures } from "#shared/task/features.ts";
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
      .map(({ name, type }) => [name, type === "numeric" ? numberIn(cell(name)) : cell(name)]),
  );
}

/** As people's programs have it: a missing number is none. */
function numberIn(cell: string): number {
  return cell === "" ? Number.NaN : Number(cell);
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

/** Columns of every kind, with every scaling and every way of treating what is missing or unknown. */
const COLUMNS: TabularFeatures["columns"] = [
  numeric("plain", [-5, 0.1]),
  { ...numeric("standard", [0, 90]), scaling: { kind: "standard", mean: 40, deviation: 12.5 } },
  { ...numeric("amount", [0, 1e6]), scaling: { kind: "log1p" } },
  { ...numeric("gaps", [10, 30]), missing: "middle" },
  { ...numeric("unused", [0, 1]), input: false },
  categorical("strict", ["NA", "b", "c"]),
  { ...categorical("open", ["x", "other"]), other: "other" },
  { ...categorical("blank", ["yes", "no"]), missing: "category" },
  { ...categorical("both", ["1", "2", "rest"]), other: "rest", missing: "category" },
];

function numeric(name: string, range: [number, number]) {
  return { name, type: "numeric" as const, range, protected: false, input: true };
}
function categorical(name: string, categories: string[]) {
  return { name, type: "categorical" as const, categories, protected: false, input: true };
}

/** Cells that the columns take, and below them rows with one cell that a device refuses. */
const TAKEN = [
  ["-5", "0", "0", "10", "0", "NA", "x", "yes", "1"],
  ["0.1", "90", "1000000", "", "1", "b", "anything", "no", "2"],
  ["-2.25", "41.5", "12", "NA", "0", "c", "NA", "", ""],
  ["0", "12", "99.5", "29.5", "0.5", "NA", "other", "NA", "n/a"],
  ["-0.001", "89.9", "250000", "null", "0", "b", "X", "None", "3"],
  ["-4", "3", "7", "11", "0", "c", "x", "yes", "2"],
  ["-1", "60", "5000", "20", "1", "NA", "x", "no", "?"],
];
const REFUSED = [
  ["0.2", "0", "0", "10", "0", "b", "x", "yes", "1"],
  ["0", "-1", "0", "10", "0", "b", "x", "yes", "1"],
  ["0", "0", "1000001", "10", "0", "b", "x", "yes", "1"],
  ["0", "0", "0", "31", "0", "b", "x", "yes", "1"],
  ["", "0", "0", "10", "0", "b", "x", "yes", "1"],
  ["0", "0", "0", "10", "0", "d", "x", "yes", "1"],
  ["0", "0", "0", "10", "0", "b", "", "yes", "1"],
  ["0", "0", "0", "10", "0", "b", "x", "maybe", "1"],
];

/** A table of all of these. `refused` are rows that no device takes. */
export function everyColumnCase(
  answer: "classes" | "number",
): ExportCase & { readonly refused: readonly Row[] } {
  const features: TabularFeatures = {
    kind: "tabular",
    columns: COLUMNS,
    ...(answer === "classes"
      ? { label: { name: "label" }, classes: ["low", "mid", "high"] }
      : { label: { name: "pay", unit: "dollars", range: [0, 5_000], scaling: { kind: "log1p" } } }),
  };
  const width = inputShape(features);
  const layers: ModelSpec["layers"] = [
    { className: "Dense", name: "hidden", units: 6, activation: "tanh" },
    answer === "classes"
      ? { className: "Dense", name: "out", units: 3, activation: "softmax" }
      : { className: "Dense", name: "out", units: 1, activation: "linear" },
  ];
  const model: ModelSpec = {
    format: "tfjs-layers",
    inputShape: width,
    layers,
    ...(answer === "classes" && { classCount: 3 }),
  };
  const { training } = bundledTask(answer === "classes" ? "digits" : "cps1998", 12, 1);
  const encoded = (cells: readonly string[]) => {
    const target = new Float32Array(inputSize(features));
    return encodeInputs(cells, features.columns, target).ok ? target : null;
  };
  // The device's own reader says which rows it takes.
  expect(REFUSED.map(encoded)).toEqual(REFUSED.map(() => null));
  const inputs = TAKEN.map((cells) => encoded(cells) ?? []);
  const rowOfCells = (cells: readonly string[]) =>
    rowOf(features, (column) => cells[COLUMNS.findIndex(({ name }) => name === column)] ?? "");
  const source = sourceOf("every column", { model, features, training }, 0.4);
  // The last weight is the answer's bias: the middle of the label's range, so that no answer is cut to its ends.
  if (answer === "number") source.weights[source.weights.length - 1] = 0.5;
  return {
    source,
    rows: TAKEN.map(rowOfCells),
    refused: REFUSED.map(rowOfCells),
    dataset: {
      inputs: Float32Array.from(inputs.flatMap((row) => [...row])),
      labels: new Float32Array(TAKEN.length),
      count: TAKEN.length,
    },
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
