import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { inputShape } from "#shared/task/features.ts";
import { outputCountOf } from "#shared/task/model.ts";
import { targetOf } from "#shared/task/target.ts";
import { IN_EARNEST_COHORT_MIN, type Task, taskSchema } from "#shared/task/task.ts";
import { staysWithinPlan } from "#shared/task/training-plan.ts";

type Json = Record<string, unknown>;

const hmda = bundledTask("hmda", 8, 1) as unknown as Json;
const aggregation = hmda["aggregation"] as Json;
const training = hmda["training"] as Json;

const denseTo = (inputs: readonly number[], last: Json, classCount?: number) => ({
  format: "tfjs-layers",
  inputShape: inputs,
  ...(classCount !== undefined && { classCount }),
  layers: [
    ...(inputs.length > 1 ? [{ className: "Flatten", name: "flat" }] : []),
    { className: "Dense", name: "out", ...last },
  ],
});
const SOFTMAX = { units: 2, activation: "softmax" };
const SIGMOID = { units: 1, activation: "sigmoid" };
const LINEAR = { units: 1, activation: "linear" };

const age = { name: "age", type: "numeric", range: [0, 120] };
const region = { name: "region", type: "categorical", categories: ["north", "south"] };
const table = (columns: readonly Json[], target: Json = {}) => ({
  kind: "tabular",
  columns,
  label: { name: "y" },
  classes: ["no", "yes"],
  ...target,
});
const earnings = { name: "y", unit: "dollars an hour", range: [0, 200] };
const numberTable = (label: Json = earnings) => ({
  kind: "tabular",
  columns: [age],
  label,
});

const taskWith = (features: Json, model: Json, change: Json = {}) => ({
  ...hmda,
  features,
  model,
  ...change,
});
const paths = (value: unknown) =>
  taskSchema.safeParse(value).error?.issues.map(({ path }) => path.join(".")) ?? [];
const accepts = (value: unknown): Task => taskSchema.parse(value);

describe("[E40] a task says what its columns are, what is learned and how", () => {
  test("columns have words for people, a scaling, and a meaning for what is missing", () => {
    const columns = [
      {
        ...age,
        title: "Age",
        description: "At the visit.",
        unit: "years",
        protected: true,
        why: "To see whether the model is worse for the old.",
        example: 71,
        missing: "middle",
        scaling: { kind: "standard", mean: 40, deviation: 12 },
      },
      { ...region, other: "south", missing: "category", example: "north" },
    ];
    const task = accepts(taskWith(table(columns), denseTo([4], SOFTMAX, 2)));
    expect(taskSchema.parse(task)).toEqual(task);
    expect(task.features).toMatchObject({ columns });
    // A missing category has a place of its own among the inputs.
    expect(inputShape(task.features)).toEqual([4]);
  });

  test.each([
    ["why without protected", { ...age, why: "curious" }, "features.columns.0.why"],
    ["example outside", { ...age, example: 121 }, "features.columns.0.example"],
    ["example of no category", { ...region, example: "west" }, "features.columns.0.example"],
    ["other of no category", { ...region, other: "west" }, "features.columns.0.other"],
    ["other of a number", { ...age, other: "west" }, "features.columns.0"],
    ["middle of categories", { ...region, missing: "middle" }, "features.columns.0.missing"],
    ["log1p below -1", { ...age, range: [-1, 5], scaling: { kind: "log1p" } }, "features.columns.0.scaling"],
    [
      "no deviation",
      { ...age, scaling: { kind: "standard", mean: 0, deviation: 0 } },
      "features.columns.0.scaling.deviation",
    ],
    [
      "a range of 10^9 deviations",
      { ...age, range: [0, 1e9], scaling: { kind: "standard", mean: 0, deviation: 1 } },
      "features.columns.0.scaling",
    ],
  ])("refuses a column: %s", (_, column, path) => {
    expect(paths(taskWith(table([column]), denseTo([1], SOFTMAX, 2)))).toContain(path);
  });

  test("two classes may have one output", () => {
    const task = accepts(taskWith(table([age]), denseTo([1], SIGMOID, 2)));
    expect([task.model.classCount, outputCountOf(task.model)]).toEqual([2, 1]);
    expect(paths(taskWith(table([age], { classes: ["a", "b", "c"] }), denseTo([1], SIGMOID, 3)))).toEqual([
      "model.layers",
    ]);
  });

  test("a label may be a number, with a unit, a range and a scaling", () => {
    const label = { ...earnings, title: "hourly earnings", scaling: { kind: "log1p" } };
    const task = accepts(taskWith(numberTable(label), denseTo([1], LINEAR)));
    const { name, ...rest } = label;
    expect(targetOf(task.features)).toEqual({ kind: "number", name, ...rest });
    expect(task.model.classCount).toBeUndefined();
    // The column's name stands in for a title.
    expect(targetOf(accepts(taskWith(numberTable(), denseTo([1], LINEAR))).features)).toMatchObject({
      title: "y",
      unit: "dollars an hour",
    });
  });

  test.each([
    ["neither classes nor range", numberTable({ name: "y" }), LINEAR, undefined, "features.classes"],
    [
      "a range without a unit",
      numberTable({ name: "y", range: [0, 1] }),
      LINEAR,
      undefined,
      "features.label.unit",
    ],
    ["classes and a range", table([age], { label: earnings }), SOFTMAX, 2, "features.label.range"],
    ["classes and a number's model", table([age]), LINEAR, undefined, "model.classCount"],
    ["a number and a class model", numberTable(), SOFTMAX, 2, "model.classCount"],
    [
      "a number with two outputs",
      numberTable(),
      { units: 2, activation: "linear" },
      undefined,
      "model.layers",
    ],
    [
      "a number that ends in relu",
      numberTable(),
      { units: 1, activation: "relu" },
      undefined,
      "model.layers",
    ],
  ])("refuses %s", (_, features, last, classCount, path) => {
    expect(paths(taskWith(features, denseTo([1], last, classCount)))).toContain(path);
  });

  test("pictures may be in colour, and series have steps and channels", () => {
    const colour = { kind: "image", height: 4, width: 5, channels: 3, range: [0, 255], classes: ["a", "b"] };
    expect(inputShape(accepts(taskWith(colour, denseTo([4, 5, 3], SOFTMAX, 2))).features)).toEqual([4, 5, 3]);
    expect(paths(taskWith({ ...colour, channels: 2 }, denseTo([4, 5, 2], SOFTMAX, 2)))).toContain(
      "features.channels",
    );
    const series = {
      kind: "series",
      length: 8,
      channels: [
        { name: "x", range: [0, 100], title: "across", unit: "mm" },
        { name: "y", range: [0, 100], scaling: { kind: "standard", mean: 50, deviation: 20 } },
      ],
      label: { name: "digit" },
      classes: ["0", "1"],
    };
    const model = denseTo([8, 2], SOFTMAX, 2);
    expect(inputShape(accepts(taskWith(series, model)).features)).toEqual([8, 2]);
    // x1 and step 1 would read like x and step 11.
    for (const name of ["x1", "y"]) {
      const channels = [{ name, range: [0, 1] }, series.channels[1]];
      expect(paths(taskWith({ ...series, channels }, model)).length).toBeGreaterThan(0);
    }
    expect(paths(taskWith({ ...series, label: { name: "x7" } }, model))).toEqual(["features.label"]);
    accepts(taskWith({ ...series, label: { name: "x8" } }, model));
    expect(paths(taskWith({ ...series, length: 4_096, channels: series.channels }, model))).toContain(
      "model.inputShape",
    );
  });

  test("classes may be weighted, and numbers choose their loss", () => {
    const classes = (change: Json) =>
      taskWith(table([age]), denseTo([1], SOFTMAX, 2), { training: { ...training, ...change } });
    const numbers = (change: Json) =>
      taskWith(numberTable(), denseTo([1], LINEAR), { training: { ...training, ...change } });
    accepts(classes({ classWeights: [1, 7.5] }));
    accepts(numbers({ loss: { kind: "squared" } }));
    accepts(numbers({ loss: { kind: "huber", delta: 0.5 } }));
    for (const classWeights of [[1], [1, 2, 3], [1, 0], [1, Number.POSITIVE_INFINITY]]) {
      expect(paths(classes({ classWeights })).length).toBeGreaterThan(0);
    }
    expect(paths(classes({ loss: { kind: "squared" } }))).toEqual(["training.loss"]);
    expect(paths(numbers({ classWeights: [1, 2] }))).toEqual(["training.classWeights"]);
    expect(paths(numbers({ loss: { kind: "huber", delta: 0 } }))).toEqual(["training.loss.delta"]);
  });

  test("in earnest, participants are told what for, and a cohort has at least ten", () => {
    const words = { purpose: "To plan.", intendedUse: "By planners.", notFor: "Single people." };
    const at = (cohortSizeMin: number, change: Json) => ({
      ...hmda,
      aggregation: { ...aggregation, goal: 12, cohortSizeMax: 20, cohortSizeMin },
      ...change,
    });
    accepts(at(IN_EARNEST_COHORT_MIN, { stage: "in-earnest", ...words }));
    accepts(at(3, { stage: "trying-out" }));
    expect(paths(at(IN_EARNEST_COHORT_MIN - 1, { stage: "in-earnest", ...words }))).toEqual([
      "aggregation.cohortSizeMin",
    ]);
    expect(paths(at(IN_EARNEST_COHORT_MIN, { stage: "in-earnest" }))).toEqual([
      "purpose",
      "intendedUse",
      "notFor",
    ]);
  });

  test("held-out data and their card may be missing", () => {
    const { dataCard: _, ...rest } = hmda;
    const task = accepts({ ...rest, evaluation: { localFraction: 0.2 } });
    expect(Object.keys(task)).not.toContain("dataCard");
    expect(task.evaluation).toEqual({ localFraction: 0.2 });
  });
});

test("[R22] a round may not train by another loss or other class weights than agreed to", () => {
  const { training: plan } = bundledTask("hmda", 8, 1);
  const weighted = { ...plan, classWeights: [1, 2] };
  const huber = { ...plan, loss: { kind: "huber", delta: 1 } as const };
  for (const agreed of [plan, weighted, huber]) {
    for (const asked of [plan, weighted, huber, { ...weighted, classWeights: [1, 3] }]) {
      expect(staysWithinPlan(agreed, asked)).toBe(agreed === asked);
    }
  }
  expect(staysWithinPlan(huber, { ...huber, loss: { kind: "huber", delta: 2 } })).toBe(false);
});

test("nothing is filled in for what a task does not say", () => {
  const task = accepts(hmda);
  expect(canonicalJson(task as never)).toBe(canonicalJson(hmda as never));
});
