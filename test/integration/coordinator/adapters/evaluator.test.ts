import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createEvaluator } from "#coordinator/adapters/evaluator.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { modelToBytes } from "#shared/codec/model-bytes.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { modelTensors } from "#shared/task/model.ts";
import { evaluationReportSchema } from "#shared/task/report/report.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { TEST_CODE } from "../../../kit/secagg-fixtures.ts";
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

test("[E61] evaluates a model on the held-out rows like a network written by hand, with the same report each time", async () => {
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
  const evaluator = createEvaluator(() => path, { version: "test", hash: TEST_CODE.hash });
  const bytes = modelToBytes(tensors, weights);
  const [evaluation, again] = await Promise.all([
    evaluator.evaluate(task, bytes, CSV),
    evaluator.evaluate(task, bytes, CSV),
  ]);
  await evaluator.close();
  expect(evaluation).toEqual(again);
  // After a restart too, bit for bit.
  const restarted = createEvaluator(() => path, { version: "test", hash: TEST_CODE.hash });
  expect(await restarted.evaluate(task, bytes, CSV)).toEqual(evaluation);
  await restarted.close();
  const report = evaluationReportSchema.parse(JSON.parse(Buffer.from(evaluation.report ?? []).toString()));
  expect(report).toMatchObject({
    task: { slug: "digits", version: 1 },
    heldOutHash: CSV.hash,
    modelHash: createHash("sha256").update(bytes).digest("hex"),
    rowCount: 300,
    resampling: { seed: 0xabababab, times: 1_000 },
  });
  // The same figures as in the event.
  for (const name of ["accuracy", "loss"]) {
    const reported = report.measures.find((measure) => measure.name === name)?.value;
    expect(reported).toBeCloseTo(evaluation.measures[name]?.value ?? -1, 10);
  }
  const { accuracy, loss } = evaluation.measures;
  expect(accuracy).toMatchObject({ count: 300, value: correct / 300 });
  expect(loss?.value).toBeCloseTo(lossSum / 300, 5);
  const variance = (lossSquareSum - lossSum ** 2 / 300) / 299;
  expect(loss?.halfWidth95).toBeCloseTo(1.959964 * Math.sqrt(variance / 300), 5);
});

test("[E62] two models are compared on the same rows, measure by measure", async () => {
  const path = join(folder, "rows-to-compare");
  writeFileSync(path, lines.join("\n"));
  const evaluator = createEvaluator(() => path, { version: "test", hash: TEST_CODE.hash });
  const next = seededUniform(2);
  const model = (own: Float32Array<ArrayBuffer>) => ({ task, modelBytes: modelToBytes(tensors, own) });
  const [one, other] = [model(weights), model(weights.map(() => (next() - 0.5) / 2))];
  const compared = await evaluator.compare(one, other, CSV);
  const back = await evaluator.compare(other, one, CSV);
  const same = await evaluator.compare(one, one, CSV);
  const figures = [one, other].map(({ modelBytes }) => evaluator.evaluate(task, modelBytes, CSV));
  const [first, second] = await Promise.all(figures);
  // Gates ask in the thread that compares; what they find out is the same.
  expect(await evaluator.evaluateAside(other, CSV)).toEqual(second);
  await evaluator.close();
  if (!compared.comparable || !back.comparable || !same.comparable) throw new Error("comparable");
  const [accuracy] = compared.measures;
  expect(accuracy).toMatchObject({
    name: "accuracy",
    test: "mcnemar-exact",
    first: first?.measures["accuracy"]?.value,
    second: second?.measures["accuracy"]?.value,
  });
  expect(back.measures[0]?.counts).toEqual({
    onlyFirst: accuracy?.counts?.onlySecond,
    onlySecond: accuracy?.counts?.onlyFirst,
  });
  expect(compared.measures.map(({ name }) => name)).toContain("macroF1");
  expect(new Set(same.measures.map(({ verdict, p }) => `${verdict} ${p}`))).toEqual(new Set(["too-close 1"]));
});

test("[E20] another set is read for the next evaluation, and the same one is read once", async () => {
  const write = (name: string, rowCount: number) =>
    writeFileSync(join(folder, name), lines.slice(0, 1 + rowCount).join("\n"));
  const evaluator = createEvaluator((_slug, hash) => join(folder, hash.slice(0, 2)), {
    version: "test",
    hash: TEST_CODE.hash,
  });
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
  const evaluator = createEvaluator(() => join(folder, "digits"), { version: "test", hash: TEST_CODE.hash });
  const bytes = modelToBytes(tensors, weights);
  await expect(evaluator.evaluate(task, bytes, CSV)).rejects.toThrow(/ENOENT/);
  writeFileSync(join(folder, "digits"), "a,b\n1,2");
  await expect(evaluator.evaluate(task, bytes, CSV)).rejects.toThrow(/held-out rows at .*column/);
  await evaluator.close();
  await expect(evaluator.evaluate(task, bytes, CSV)).rejects.toThrow(/closed/);
});

test("[M1] [M8] a model is tried in onnxruntime as it leaves, and 8 bits are compared on the held-out rows", async () => {
  const path = join(folder, "rows-to-port");
  writeFileSync(path, lines.join("\n"));
  const evaluator = createEvaluator(() => path, { version: "test", hash: TEST_CODE.hash });
  const model = { task, modelBytes: modelToBytes(tensors, weights) };
  const tried = await evaluator.portability(model, CSV);
  const onRandom = await evaluator.portability(model, null);
  // The engine still has its own figures afterwards.
  const { measures } = await evaluator.evaluate(task, model.modelBytes, CSV);
  await evaluator.close();
  expect(tried.parity.random.errorMax).toBeLessThanOrEqual(1e-5);
  expect(tried.parity.random.errorMax).toBeGreaterThan(0);
  expect(tried.parity.heldOut?.rows).toBe(300);
  expect(tried.parity.heldOut?.errorMax).toBeLessThanOrEqual(1e-5);
  expect(tried.byteCounts.int8).toBeLessThan(0.6 * tried.byteCounts.onnx);
  expect(tried.oneRowMs.onnx).toBeGreaterThan(0);
  if (tried.int8?.comparable !== true) throw new Error("comparable");
  expect(tried.int8.measures[0]).toMatchObject({ name: "accuracy", first: measures["accuracy"]?.value });
  expect(onRandom).toMatchObject({ parity: { heldOut: null }, int8: null });
});
