import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { type Advice, modelAdvice } from "#shared/model/advice.ts";
import { answerOf } from "#shared/model/answer.ts";
import { modelFacts } from "#shared/model/facts.ts";
import { modelTemplates, proposedTemplate } from "#shared/model/templates.ts";
import { inputShape } from "#shared/task/features.ts";
import { modelSchema, modelTensors } from "#shared/task/model.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";

const digits = bundledTask("digits", 5, 1);

function withUnits(...units: readonly number[]): Task {
  const hidden = units.map((count, index) => ({
    ...{ className: "Dense", name: `hidden_${index + 1}`, units: count, activation: "relu" },
  }));
  const model = modelSchema.parse({
    ...{ format: "tfjs-layers", inputShape: [8, 8, 1], classCount: 10 },
    layers: [
      { className: "Flatten", name: "flat" },
      ...hidden,
      { className: "Dense", name: "out", units: 10, activation: "softmax" },
    ],
  });
  return { ...digits, model };
}
const rules = (task: Task, changes: Partial<Task["aggregation"]>): Task => ({
  ...task,
  aggregation: { ...task.aggregation, ...changes },
});
const advise = (task: Task, rowCount: number | null = null) => modelAdvice(task, modelFacts(task), rowCount);
const about = (advice: readonly Advice[], what: Advice["about"]) =>
  advice.filter((entry) => entry.about === what).map(({ sentence }) => sentence);
/** The number in "With 1,234 units ...". */
const withNumber = (sentence: string | undefined) =>
  Number(/With ([\d,]+) /.exec(sentence ?? "")?.[1]?.replaceAll(",", ""));

describe("[T8] advice", () => {
  test("has nothing to say of a model that fits", () => {
    expect(advise(withUnits(16), 20_000)).toEqual([]);
  });

  test("learning by heart: the width that it names has no more weights than rows, and one more has", () => {
    const [sentence] = about(advise(withUnits(200, 16), 4_000), "rows");
    expect(sentence).toMatch(/^Four numbers to learn for every row: it would learn rows by heart\. With /);
    const width = withNumber(sentence);
    const parameters = (units: number) => modelTensors(withUnits(units, 16).model).parameterCount;
    expect(parameters(width)).toBeLessThanOrEqual(4_000);
    expect(parameters(width + 1)).toBeGreaterThan(4_000);
  });

  test("what it says would work is the model that it hands over, the ring or the batch", () => {
    const wide = withUnits(200, 16);
    const [heart] = advise(wide, 4_000);
    if (heart?.mend?.type !== "model") throw new Error("no model is handed over");
    expect(modelTensors(heart.mend.model).parameterCount).toBeLessThanOrEqual(4_000);
    expect(advise({ ...wide, model: heart.mend.model }, 4_000)).toEqual([]);
    const [ring] = advise(rules(digits, { ring: 16, cohortSizeMax: 600 }));
    expect(ring?.mend).toMatchObject({ type: "ring", ring: 32 });
    expect(advise(withUnits(16), 30)[0]?.mend).toBeUndefined();
  });

  test("with too few rows for any width, it says how many rows would do", () => {
    const [sentence] = about(advise(withUnits(16), 30), "rows");
    expect(sentence).toContain("1,210 rows, or a linear model, would suit it better.");
  });

  test("a list that no upload takes is refused, with the width that one takes", () => {
    const task = rules(withUnits(40_000, 4_000), { ring: 32 });
    const [first] = advise(task);
    expect(first).toMatchObject({ kind: "refused", about: "upload" });
    const width = withNumber(first?.sentence);
    const words = (units: number) =>
      modelFacts(rules(withUnits(units, 4_000), { ring: 32 })).rounds[32].listLength;
    expect(words(width)).toBeLessThanOrEqual(2 ** 26);
    expect(words(width + 1)).toBeGreaterThan(2 ** 26);
  });

  test("a 16-bit ring that cannot hold the cohort, that saves nothing, or that rounds coarsely", () => {
    const refused = advise(rules(withUnits(16), { ring: 16, cohortSizeMax: 600 }));
    expect(refused[0]).toMatchObject({ kind: "refused", about: "ring" });
    expect(refused[0]?.sentence).toContain("set cohortSizeMax to at most 511, or ring to 32.");
    const coarse = about(advise(rules(withUnits(16), { ring: 16, cohortSizeMax: 300 })), "ring");
    expect(coarse[0]).toContain("Up to 127 devices, or 32 bits, round it less.");
    // 1,210 weights are padded to 2,048 half words; no saving would need more than twice the weights.
    expect(about(advise(rules(withUnits(16), { ring: 16, cohortSizeMax: 100 })), "ring")).toEqual([]);
  });

  test("memory: the batch that it names fits, and one row more does not", () => {
    const task = { ...withUnits(2_000, 2_000), training: { ...digits.training, batchSize: 4_096 } };
    const [sentence] = about(advise(task), "memory");
    const batch = Number(/A batch of ([\d,]+) rows/.exec(sentence ?? "")?.[1]?.replaceAll(",", ""));
    const bytes = (batchSize: number) =>
      modelFacts({ ...task, training: { ...task.training, batchSize } }).memoryByteCount;
    expect(bytes(batch)).toBeLessThanOrEqual(400e6);
    expect(bytes(batch + 1)).toBeGreaterThan(400e6);
  });

  test("an upload that takes a phone more than a minute", () => {
    const [sentence] = about(
      advise(rules(withUnits(5_000, 4_000), { ring: 32, cohortSizeMax: 40 })),
      "upload",
    );
    expect(sentence).toMatch(/^Each round a device sends 8\d MB, more than a minute on a phone’s network\./);
  });
});

describe("templates", () => {
  const shapes = [[5], [30, 3], [8, 8, 1], [28, 28, 1], [3, 3, 3], [4, 9, 3], [2, 2]] as const;
  test.each(shapes.map((shape) => [shape.join(" × "), shape] as const))(
    "for rows of %s are models that a task may have, simplest first",
    (_, shape) => {
      const templates = modelTemplates(shape, { classCount: 5 });
      for (const { model } of templates) expect(modelSchema.parse(model)).toEqual(model);
      const counts = templates
        .filter(({ id }) => id !== "small-convolutional")
        .map(({ model }) => modelTensors(model).parameterCount);
      expect(counts).toEqual(counts.toSorted((left, right) => left - right));
      const isConvolved = shape.length > 1 && shape.slice(0, -1).every((length) => length >= 4);
      expect(templates.some(({ id }) => id === "small-convolutional")).toBe(isConvolved);
    },
  );

  test("fit the rows and the answer of a bundled task", () => {
    for (const { model } of modelTemplates(inputShape(digits.features), answerOf(digits.features))) {
      expect(taskSchema.safeParse({ ...digits, model }).success).toBe(true);
    }
  });

  test.each([
    ["two classes", 2, { units: 1, activation: "sigmoid" }],
    ["many classes", 7, { units: 7, activation: "softmax" }],
    ["a number", null, { units: 1, activation: "linear" }],
  ])("end with what answers %s, and what they cost is known", (_, classCount, last) => {
    for (const { model } of modelTemplates([11], { classCount })) {
      expect(model.layers.at(-1)).toMatchObject(last);
      const { parameterCount, multiplyAddsPerStep, memoryByteCount } = modelFacts({ ...digits, model });
      expect(parameterCount).toBeGreaterThan(11);
      expect(multiplyAddsPerStep).toBeGreaterThan(parameterCount);
      expect(memoryByteCount).toBeGreaterThan(4 * parameterCount);
    }
  });

  test("the one that is proposed follows the number of rows", () => {
    const table = modelTemplates([11], { classCount: 3 });
    expect([60, 1_200, 200_000].map((rows) => proposedTemplate(table, rows))).toEqual([
      "linear",
      "small-dense",
      "medium-dense",
    ]);
    expect(proposedTemplate(modelTemplates([8, 8, 1], { classCount: 10 }), 500)).toBe("small-convolutional");
  });
});
