import { expect, test } from "vitest";
import type { Gate } from "#shared/task/gates/index.ts";
import { USUAL_POINT } from "#shared/task/operating-point.ts";
import type { Target } from "#shared/task/target.ts";
import {
  draftOf,
  fieldsOf,
  GATE_KINDS,
  kindTitle,
  measureChoices,
  newDraft,
  pointDraft,
  pointOf,
  rulesOf,
} from "#web/words/gates-form.ts";

const target: Target = { kind: "classes", classes: ["well", "ill"] } as Target;
const choices = measureChoices(target);
const GATES: readonly Gate[] = [
  { kind: "measure", name: "accuracy", threshold: 0.803, minAbsoluteChange: -0.01, minRelativeChange: 0.05 },
  { kind: "measure", name: "loss", threshold: 0.4 },
  { kind: "cohort", devicesMin: 8 },
  { kind: "onnx-parity", tolerance: 0.00001 },
  { kind: "size", byteCountMax: 512_500 },
  { kind: "latency", medianMsMax: 2.5 },
];

test("[G8] the form shows each kind of gate in units of people, and gives the same gates back", () => {
  const drafts = GATES.map((gate) => draftOf(gate, choices));
  expect(drafts[0]?.texts).toEqual({ threshold: "80.3", minAbsoluteChange: "-1", minRelativeChange: "5" });
  expect(drafts[4]?.texts).toEqual({ byteCountMax: "512.5" });
  expect(rulesOf(drafts, true, choices)).toEqual({
    rules: { gates: GATES, promoteByItself: true },
    wrong: new Map(),
  });
  const labels = fieldsOf({ kind: "measure", name: "accuracy" }, choices).map(({ label, unit }) => [
    label,
    unit,
  ]);
  expect(labels[0]).toEqual(["At least", "%"]);
  expect(labels[1]).toEqual(["Better than the champion by at least", "points"]);
  expect(fieldsOf({ kind: "measure", name: "loss" }, choices)[0]).toMatchObject({
    label: "At most",
    factor: 1,
  });
  expect(new Set(GATE_KINDS.map(({ kind }) => kind))).toEqual(new Set(GATES.map(({ kind }) => kind)));
  expect(kindTitle("cohort")).toBe("Devices in every round");
});

test("[G8] what does not fit is said at its field", () => {
  const wrong = (drafts: Parameters<typeof rulesOf>[0], byItself = false) =>
    Object.fromEntries(rulesOf(drafts, byItself, choices).wrong);
  expect(wrong([newDraft("cohort", choices)])).toEqual({
    "gates.0.devicesMin": "Missing: a number is wanted.",
  });
  expect(wrong([{ kind: "cohort", name: "", texts: { devicesMin: "2.5" } }])).toHaveProperty([
    "gates.0.devicesMin",
  ]);
  expect(wrong([{ kind: "latency", name: "", texts: { medianMsMax: "soon" } }])).toEqual({
    "gates.0.medianMsMax": "Must be a number.",
  });
  expect(wrong([newDraft("measure", choices)])).toEqual({ "gates.0": "Give a threshold or a least change." });
  expect(wrong([], true)).toHaveProperty("promoteByItself");
  const many = Array.from({ length: 21 }, () => draftOf({ kind: "cohort", devicesMin: 3 }, choices));
  expect(Object.keys(wrong(many))).toEqual(["gates"]);
  for (const name of ["__proto__", "constructor"])
    expect(
      rulesOf([{ kind: "measure", name, texts: { threshold: "1" } }], false, choices).rules?.gates[0],
    ).toEqual({
      kind: "measure",
      name,
      threshold: 1,
    });
});

test("[E63] costs are typed as they are, the specificity in percent, a comma counts as the point", () => {
  expect(pointDraft(USUAL_POINT)).toEqual({ falseAlarmCost: "1", missCost: "1", specificity: "90" });
  expect(pointOf({ falseAlarmCost: "1", missCost: "2,5", specificity: "97.5" }).point).toEqual({
    falseAlarmCost: 1,
    missCost: 2.5,
    specificity: 0.975,
  });
  const { point, wrong } = pointOf({ falseAlarmCost: "", missCost: "0", specificity: "100" });
  expect(point).toBeNull();
  expect(Object.fromEntries(wrong)).toEqual({
    falseAlarmCost: "Missing: a number is wanted.",
    missCost: "Must be above 0.",
    specificity: "Give a share from 50 to 99.9 %.",
  });
});
