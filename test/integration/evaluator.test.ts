import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createEvaluator } from "#coordinator/adapters/evaluator.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { modelToBytes } from "#shared/codec/model-bytes.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
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

test("[E4] rows that were counted are not counted again, so a launch does not wait for evaluations", async () => {
  const write = (slug: string, rowCount: number) =>
    writeFileSync(join(folder, slug), lines.slice(0, 1 + rowCount).join("\n"));
  const evaluator = createEvaluator((slug) => join(folder, slug));
  const count = (slug: string) => evaluator.countHeldOut({ ...task, slug: slug as TaskSlug });
  write("one", 10);
  write("other", 20);
  try {
    expect([await count("one"), await count("other")]).toEqual([10, 20]);
    const order: string[] = [];
    const evaluated = evaluator
      .evaluate({ ...task, slug: "other" as TaskSlug }, modelToBytes(tensors, weights))
      .then(() => order.push("evaluated"));
    expect(await count("one")).toBe(10);
    order.push("counted");
    await evaluated;
    expect(order).toEqual(["counted", "evaluated"]);
    write("one", 30);
    expect(await count("one")).toBe(30);
  } finally {
    await evaluator.close();
  }
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
