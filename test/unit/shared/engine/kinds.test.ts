import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type BundledTask, bundledTask, DEFAULT_DATASET } from "#coordinator/data/tasks.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { readCsv } from "#shared/data/read-csv.ts";
import { openEngine } from "#shared/engine/engine.ts";
import { initialModel } from "#shared/strategy/initialize.ts";
import { pickRows } from "#shared/task/dataset.ts";
import { headlineOf, measuresFrom } from "#shared/task/measures/index.ts";
import { modelTensors } from "#shared/task/model.ts";
import { shuffledIndices } from "#shared/task/shuffle.ts";
import { targetOf } from "#shared/task/target.ts";

const engine = openEngine({ wasmPaths: null });
const never = new AbortController().signal;
const ROWS_MAX = 1_200;

/** Each bundled task of another kind than many classes, and what its model must reach on rows that it has not seen. */
const KINDS: readonly (readonly [BundledTask, reached: (value: number) => boolean])[] = [
  // The same mean for everyone is off by 7.8 dollars.
  ["cps1998", (mae) => mae > 4 && mae < 7.4],
  ["tumours", (accuracy) => accuracy > 0.85],
  ["pen-digits", (accuracy) => accuracy > 0.7],
  ["emoji", (accuracy) => accuracy > 0.6],
];

describe.each(KINDS)("[E44] %s", (name, reached) => {
  const task = bundledTask(name, 12, 1);
  const target = targetOf(task.features);
  const read = readCsv(readFileSync(DEFAULT_DATASET[name], "utf8"), task.features);
  if (!read.ok) throw new Error(read.error.sentence);
  const { dataset, report } = read.value;
  const order = shuffledIndices(dataset.count, 1).slice(0, ROWS_MAX);
  const [seen, unseen] = [order.slice(0, -200), order.slice(-200)].map((rows) => pickRows(dataset, rows));

  test("every row of its data set can be used", () => {
    expect(report.rowsLeftOut).toBe(0);
    expect(dataset.inputs.every(Number.isFinite)).toBe(true);
  });

  const backends = task.model.layers.some(({ className }) => className === "Conv1D")
    ? ["cpu"]
    : ["cpu", "wasm"];
  test.each(backends as ("cpu" | "wasm")[])("trains and is judged on %s", async (backend) => {
    expect(await engine.use(backend, false)).toMatchObject({ ok: true });
    expect((await engine.time(backend, task, false)).note).toBeNull();
    const weights = await initialModel(
      javascriptPrimitives(),
      modelTensors(task.model),
      new Uint8Array(32).fill(7),
    );
    const before = engine.heldBufferCount();
    if (seen === undefined || unseen === undefined) throw new Error("rows");
    const job = { task, plan: { ...task.training, epochs: 6 }, weights, rows: seen, shuffleSeed: 3 };
    const trained = await engine.train(job, () => {}, never);
    if (!trained.ok) throw new Error("was cancelled");
    const [first, last] = [trained.value.epochLosses[0] ?? 0, trained.value.epochLosses.at(-1) ?? 0];
    expect(last).toBeLessThan(first);
    const headline = headlineOf(
      measuresFrom(await engine.evaluate(task, trained.value.weights, unseen), target),
    );
    expect(headline?.measure.value).toSatisfy(reached);
    expect(headline?.measure.unit).toBe(target.kind === "number" ? target.unit : undefined);
    const answer = await engine.predict(
      task,
      trained.value.weights,
      unseen.inputs.slice(0, unseen.inputs.length / unseen.count),
    );
    expect(answer).toHaveLength(target.kind === "number" ? 1 : target.classes.length);
    expect(engine.heldBufferCount()).toBe(before);
  });
});
