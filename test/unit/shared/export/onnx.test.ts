import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type BundledTask, bundledTask, DEFAULT_DATASET } from "#coordinator/data/tasks.ts";
import { readCsv } from "#shared/data/read-csv.ts";
import { openEngine } from "#shared/engine/engine.ts";
import { exportOnnx } from "#shared/export/onnx/export-onnx.ts";
import { type Dataset, pickRows } from "#shared/task/dataset.ts";
import type { LearnedTask } from "#shared/task/engine.ts";
import type { Features } from "#shared/task/features.ts";
import { modelTensors } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { classesOf, labelName } from "#shared/task/target.ts";
import { type Feeds, runOnnx } from "#test/kit/onnx/run-onnx.ts";
import { convolutional, depthwise, series } from "../engine/nets.ts";

const engine = openEngine({ wasmPaths: null });
await engine.use("cpu", false);
const ROWS = 40;

const source = (name: string, task: LearnedTask, weights: Float32Array) => ({
  name,
  about: name,
  task,
  weights,
  metadata: { task: name },
});

function randomWeights(task: LearnedTask, spread = 1): Float32Array {
  const uniform = seededUniform(5);
  const { parameterCount: length } = modelTensors(task.model);
  return Float32Array.from({ length }, () => spread * (2 * uniform() - 1));
}

describe.each(["digits", "hmda", "cps1998", "tumours", "pen-digits", "emoji"] as BundledTask[])(
  "%s",
  (name) => {
    const task = bundledTask(name, 12, 1);
    const { rows, dataset } = firstRows(name, task.features);

    test("[M1] answers as the engine does, from the data as people have them", async () => {
      const weights = randomWeights(task, 0.5);
      const outputs = await runOnnx(exportOnnx(source(name, task, weights)), feedsOf(task.features, rows));
      await expectSameAnswers(task, weights, dataset, outputs);
    });
  },
);

function firstRows(name: BundledTask, features: Features) {
  const text = readFileSync(DEFAULT_DATASET[name], "utf8");
  const read = readCsv(text, features);
  if (!read.ok) throw new Error(read.error.sentence);
  const [header = "", ...lines] = text.trim().split(/\r?\n/);
  const names = header.split(",");
  const rows = lines.slice(0, ROWS).map((line) => {
    const cells = line.split(",");
    return new Map(names.map((column, index) => [column, cells[index] ?? ""]));
  });
  expect(names).toContain(labelName(features));
  return {
    rows,
    dataset: pickRows(
      read.value.dataset,
      Uint32Array.from({ length: ROWS }, (_, index) => index),
    ),
  };
}

/** What a caller of the graph hands over. */
function feedsOf(features: Features, rows: readonly ReadonlyMap<string, string>[]): Feeds {
  const numbers = (row: ReadonlyMap<string, string>, columns: readonly string[]) =>
    columns.map((column) => Number(row.get(column)));
  if (features.kind === "image") {
    const { height, width, channels = 1 } = features;
    const columns = Array.from({ length: height * width * channels }, (_, index) => `p${index}`);
    return { pixels: { shape: [height, width, channels], rows: rows.map((row) => numbers(row, columns)) } };
  }
  if (features.kind === "series") {
    const { length, channels } = features;
    const columns = Array.from({ length }, (_, step) =>
      channels.map((channel) => `${channel.name}${step}`),
    ).flat();
    return { series: { shape: [length, channels.length], rows: rows.map((row) => numbers(row, columns)) } };
  }
  return Object.fromEntries(
    features.columns
      .filter(({ input }) => input)
      .map(({ name, type }) => [
        name,
        type === "numeric"
          ? { shape: [], rows: rows.map((row) => numbers(row, [name])) }
          : rows.map((row) => row.get(name) ?? ""),
      ]),
  );
}

async function expectSameAnswers(
  task: LearnedTask,
  weights: Float32Array,
  dataset: Dataset,
  outputs: ReadonlyMap<string, readonly (number | string)[]>,
): Promise<void> {
  const wanted = await engine.answers(task, weights, dataset);
  const classes = classesOf(task.features);
  const got = answersIn(classes, outputs);
  expect(got.length).toBe(wanted.length);
  for (const [index, value] of wanted.entries()) {
    expect(Math.abs(value - (got[index] as number))).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(value)));
  }
  if (classes.length === 0) return;
  const labels = Array.from({ length: dataset.count }, (_, row) => {
    const own = wanted.subarray(row * classes.length, (row + 1) * classes.length);
    return classes[own.indexOf(Math.max(...own))];
  });
  expect(outputs.get("label")).toEqual(labels);
  // Otherwise a graph that always says the same would pass.
  expect(new Set(got).size).toBeGreaterThan(classes.length);
}

function answersIn(
  classes: readonly string[],
  outputs: ReadonlyMap<string, readonly (number | string)[]>,
): number[] {
  const all = outputs.get("prediction") ?? outputs.get("probabilities");
  if (all !== undefined) return all.map(Number);
  const columns = classes.map((name) => outputs.get(`probability_${name}`) ?? []);
  return Array.from({ length: columns[0]?.length ?? 0 }, (_, row) =>
    columns.map((column) => Number(column[row])),
  ).flat();
}

describe("every kind of layer", () => {
  test.each([
    ["convolutional", convolutional],
    ["series", series],
    ["depthwise", { ...depthwise, inputShape: [6, 5, 3] }],
  ] as const)("[M2] %s", async (name, model) => {
    const [first = 0, second = 0, third] = model.inputShape;
    const classes = ["a", "b", "c"];
    const features: Features =
      third === undefined
        ? {
            ...{ kind: "series", length: first, label: { name: "label" }, classes },
            channels: Array.from({ length: second }, (_, index) => ({
              name: `c${index}_`,
              range: [0, 1] as [number, number],
            })),
          }
        : {
            kind: "image",
            height: first,
            width: second,
            channels: third === 3 ? 3 : 1,
            range: [0, 1],
            classes,
          };
    const task = { model, features, training: bundledTask("digits", 12, 1).training };
    const uniform = seededUniform(9);
    const size = model.inputShape.reduce((product, length) => product * length, 1);
    const rows = Array.from({ length: 30 }, () => Array.from({ length: size }, () => Math.fround(uniform())));
    const dataset = { inputs: Float32Array.from(rows.flat()), labels: new Float32Array(30), count: 30 };
    const weights = randomWeights(task as LearnedTask, 2);
    const input = third === undefined ? "series" : "pixels";
    const outputs = await runOnnx(exportOnnx(source(name, task as LearnedTask, weights)), {
      [input]: { shape: model.inputShape, rows },
    });
    await expectSameAnswers(task as LearnedTask, weights, dataset, outputs);
  });
});
