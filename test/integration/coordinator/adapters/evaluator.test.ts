import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createEvaluator } from "#coordinator/adapters/evaluator.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { modelToBytes } from "#shared/codec/model-bytes.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { modelTensors } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { forwardByHand, lossByHand } from "../../../unit/shared/engine/tiny-net.ts";

const folder = mkdtempSync(join(tmpdir(), "chorus-evaluator-"));
afterAll(() => rmSync(folder, { recursive: true }));

const task = bundledTask("digits", 8, 1);
const lines = readFileSync(new URL("../../../../coordinator/data/digits.csv", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .slice(0, 301);
const tensors = modelTensors(task.model);
const uniform = seededUniform(1);
const weights = Float32Array.from({ length: tensors.parameterCount }, () => (uniform() - 0.5) / 2);

const CSV = { hash: "ab".repeat(32) as HashHex, format: "csv" } as const;

test("evaluates a model on the held-out rows like a network written by hand", async () => {
  const path = join(folder, "rows");
  writeFileSync(path, lines.join("\n"));
  const net = { inputs: 64, hidden: 32, classes: 10, activation: "relu" } as const;
  const rows = lines.slice(1).map((line) => line.split(",").map(Number));
  let lossSum = 0;
  let lossSquareSum = 0;
  let correct = 0;
  for (const row of rows) {
    const [input, label] = [row.slice(0, 64).map((value) => value / 16), row[64] ?? -1];
    const loss = lossByHand(net, [...weights], input, label);
    lossSum += loss;
    lossSquareSum += loss * loss;
    const { probabilities } = forwardByHand(net, [...weights], input);
    if (probabilities.indexOf(Math.max(...probabilities)) === label) correct += 1;
  }
  const evaluator = createEvaluator(() => path);
  const bytes = modelToBytes(tensors, weights);
  const [evaluation, again] = await Promise.all([
    evaluator.evaluate(task, bytes, CSV),
    evaluator.evaluate(task, bytes, CSV),
  ]);
  await evaluator.close();
  expect(evaluation).toEqual(again);
  const { accuracy, loss } = evaluation.measures;
  expect(accuracy).toMatchObject({ count: 300, value: correct / 300 });
  expect(loss?.value).toBeCloseTo(lossSum / 300, 5);
  const variance = (lossSquareSum - lossSum ** 2 / 300) / 299;
  expect(loss?.halfWidth95).toBeCloseTo(1.959964 * Math.sqrt(variance / 300), 5);
});

test("[E20] another set is read for the next evaluation, and the same one is read once", async () => {
  const write = (name: string, rowCount: number) =>
    writeFileSync(join(folder, name), lines.slice(0, 1 + rowCount).join("\n"));
  const evaluator = createEvaluator((_slug, hash) => join(folder, hash.slice(0, 2)));
  const bytes = modelToBytes(tensors, weights);
  const countOf = async (name: string) => {
    const rows = { ...CSV, hash: name.repeat(32) as HashHex };
    return (await evaluator.evaluate(task, bytes, rows)).measures["accuracy"]?.count;
  };
  write("aa", 20);
  write("bb", 30);
  const counts = [await countOf("aa"), await countOf("bb")];
  // A set never changes under its name, so its file is not looked at again.
  write("bb", 40);
  counts.push(await countOf("bb"));
  await evaluator.close();
  expect(counts).toEqual([20, 30, 30]);
});

test("rows that are gone or no longer fit are an error that says so; after a close it refuses", async () => {
  const evaluator = createEvaluator(() => join(folder, "digits"));
  const bytes = modelToBytes(tensors, weights);
  await expect(evaluator.evaluate(task, bytes, CSV)).rejects.toThrow(/ENOENT/);
  writeFileSync(join(folder, "digits"), "a,b\n1,2");
  await expect(evaluator.evaluate(task, bytes, CSV)).rejects.toThrow(/held-out rows at .*column/);
  await evaluator.close();
  await expect(evaluator.evaluate(task, bytes, CSV)).rejects.toThrow(/closed/);
});
