import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createEvaluator } from "#coordinator/adapters/evaluator.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { modelToBytes } from "#shared/codec/model-bytes.ts";
import { modelTensors } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { forwardByHand, lossByHand } from "../unit/engine/tiny-net.ts";

const folder = mkdtempSync(join(tmpdir(), "chorus-evaluator-"));
afterAll(() => rmSync(folder, { recursive: true }));

const task = bundledTask("digits", 8, 1);
const lines = readFileSync(new URL("../../coordinator/data/digits.csv", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .slice(0, 301);
const tensors = modelTensors(task.model);
const uniform = seededUniform(1);
const weights = Float32Array.from({ length: tensors.parameterCount }, () => (uniform() - 0.5) / 2);

test("judges a model on the held-out rows as the network written out by hand does", async () => {
  const path = join(folder, "digits-v1.csv");
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
    evaluator.evaluate(task, bytes),
    evaluator.evaluate(task, bytes),
  ]);
  expect(await evaluator.countHeldOut(task)).toBe(300);
  await evaluator.close();
  expect(evaluation).toEqual(again);
  const { accuracy, loss } = evaluation.measures;
  expect(accuracy).toMatchObject({ count: 300, value: correct / 300 });
  expect(loss?.value).toBeCloseTo(lossSum / 300, 5);
  const variance = (lossSquareSum - lossSum ** 2 / 300) / 299;
  expect(loss?.halfWidth95).toBeCloseTo(1.959964 * Math.sqrt(variance / 300), 5);
});

test("without held-out rows counts none; with bad ones says what is wrong; after a close refuses", async () => {
  const evaluator = createEvaluator((slug) => join(folder, slug));
  const bytes = modelToBytes(tensors, weights);
  await expect(evaluator.evaluate(task, bytes)).rejects.toThrow(/held-out rows/);
  expect(await evaluator.countHeldOut(task)).toBe(0);
  writeFileSync(join(folder, "digits"), "a,b\n1,2");
  await expect(evaluator.countHeldOut(task)).rejects.toThrow(/first line must name the columns/);
  await expect(evaluator.evaluate(task, bytes)).rejects.toThrow(/first line must name the columns/);
  await evaluator.close();
  await expect(evaluator.evaluate(task, bytes)).rejects.toThrow(/closed/);
});
