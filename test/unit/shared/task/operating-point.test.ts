import { describe, expect, test } from "vitest";
import { projectSentence } from "#shared/project/sentences.ts";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import type { JudgedRows } from "#shared/task/judged-rows.ts";
import { rowMeasuresAt } from "#shared/task/measures/of-rows/list.ts";
import { figureValue } from "#shared/task/measures/row-measure.ts";
import { operatingPointSchema, pointKey, USUAL_POINT } from "#shared/task/operating-point.ts";
import { taskSettingChangesSchema, taskSettingsSchema } from "#shared/task/settings.ts";

/** Ten rows of the first class and four of the second, by their probability of the second. */
const ROWS: readonly (readonly [label: number, probability: number])[] = [
  ...[0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.6, 0.8].map((probability) => [0, probability] as const),
  ...[0.22, 0.45, 0.7, 0.9].map((probability) => [1, probability] as const),
];
const rows: JudgedRows = {
  kind: "classes",
  count: ROWS.length,
  classes: ["well", "ill"],
  labels: Uint32Array.from(ROWS, ([label]) => label),
  said: Uint32Array.from(ROWS, ([, probability]) => (probability >= 0.5 ? 1 : 0)),
  probabilities: Float32Array.from(ROWS.flatMap(([, probability]) => [1 - probability, probability])),
  losses: Float64Array.from(
    ROWS,
    ([label, probability]) => -Math.log(label === 1 ? probability : 1 - probability),
  ),
};

function figure(name: string, point: Parameters<typeof rowMeasuresAt>[0]): number {
  const spec = rowMeasuresAt(point).find((measure) => measure.name === name);
  const found = spec?.figure(rows) ?? null;
  if (found === null) throw new Error(`no ${name}`);
  return figureValue(found, rows.count);
}

describe("costs of errors", () => {
  test("[E63] net benefit and sensitivity follow the task's costs and specificity", () => {
    // By hand. At 1:1 an alarm is from 0.5 on: two are right, two are false. A miss that costs 4 makes it from 0.2 on: all four
    // are right and seven false ones weigh a quarter each.
    expect(figure("netBenefit", USUAL_POINT)).toBeCloseTo((2 - 2) / 14, 12);
    const dear = { falseAlarmCost: 1, missCost: 4, specificity: 0.8 };
    expect(figure("netBenefit", dear)).toBeCloseTo((4 - 7 / 4) / 14, 6);
    // One false alarm of ten is borne at 90 %, two are at 80 %, three at 70 %.
    expect(figure("sensitivity", USUAL_POINT)).toBe(0.5);
    expect(figure("sensitivity", dear)).toBe(0.75);
    expect(figure("sensitivity", { ...dear, specificity: 0.5 })).toBe(0.75);
    const label = rowMeasuresAt({ ...dear, specificity: 0.975 }).find(
      ({ name }) => name === "sensitivity",
    )?.label;
    expect(label).toBe("Sensitivity at a specificity of 97.5 %");
  });

  test("[E63] a task that does not say has the usual ones, as before they were a setting", () => {
    expect(taskSettingsSchema.parse({}).operatingPoint).toBeUndefined();
    expect(pointKey(undefined)).toBe(pointKey(USUAL_POINT));
    const changes = { operatingPoint: { falseAlarmCost: 1, missCost: 5, specificity: 0.95 } };
    expect(taskSettingChangesSchema.parse(changes)).toEqual(changes);
    const slug = taskSlugSchema.parse("readmission");
    expect(projectSentence({ type: "task-settings-changed", slug, changes, actor: "ada" })).toBe(
      "ada changed the costs of errors of readmission: a false alarm costs 1, a miss 5; sensitivity at a specificity of 95 %.",
    );
  });

  test.each<object>([
    { falseAlarmCost: 0, missCost: 1, specificity: 0.9 },
    { falseAlarmCost: 1, missCost: Number.NaN, specificity: 0.9 },
    { falseAlarmCost: 1, missCost: 1e9, specificity: 0.9 },
    { falseAlarmCost: 1, missCost: 1, specificity: 1 },
    { falseAlarmCost: 1, missCost: 1, specificity: 0.2 },
    { falseAlarmCost: 1, missCost: 1 },
    { falseAlarmCost: 1, missCost: 1, specificity: 0.9, __proto__: null, constructor: 1 },
  ])("[E63] refuses %j", (point) => expect(operatingPointSchema.safeParse(point).success).toBe(false));
});
