import { describe, expect, test } from "vitest";
import type { TaskView } from "#shared/protocol/api.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { type InUse, inUseSchema } from "#shared/protocol/in-use.ts";
import { type ModelVersionView, modelVersionSchema } from "#shared/protocol/registry.ts";
import { taskViewOf } from "#test/kit/web-views.ts";
import { lineageOf } from "#web/features/models/lineage.ts";
import {
  candidateNote,
  candidateWords,
  championLine,
  comparedWith,
  figuresInUse,
  inUseSentence,
  inUseWords,
  lineageSentence,
  modelLead,
  modelsLead,
  pairNamed,
  runTitle,
  setNodeWords,
  standingWords,
  versionTitle,
} from "#web/words/models.ts";

const FAKE_HELD_OUT: NonNullable<TaskView["heldOut"]> = {
  ...{
    hash: "ab".repeat(32) as HashHex,
    format: "csv",
    byteCount: 1,
    rowCount: 714,
    versions: [1],
    isUsed: true,
  },
  ...{ setAt: "2026-07-08T14:36:00.000Z", setBy: "k7f2", balance: { kind: "classes", counts: [] } },
  card: { source: "registry", licence: "CC0", ground: "public", collected: "2025" },
};
const ID = "cd".repeat(16);
const SET = "3f".repeat(32);
const accuracy = (value: number) => ({ accuracy: { value, halfWidth95: 0.02, count: 360 } });

function version(number: number, change: Partial<Record<keyof ModelVersionView, unknown>> = {}) {
  return modelVersionSchema.parse({
    ...{ version: number, task: "digits", taskVersion: 1, runId: ID, runNumber: 6, round: 15 },
    ...{ modelHash: "ab".repeat(32), parentModelHash: null, measures: accuracy(0.95), measuredOn: SET },
    ...{ aliases: [], isCandidate: true, runState: "completed", cohortSize: 8, updateNormL2: null },
    ...{ deviceMeasures: { before: {}, after: {} }, madeAt: "2026-07-08T14:36:00.000Z" },
    ...change,
  });
}
const inUse = (number: number, alias: "champion" | null): InUse =>
  inUseSchema.parse({ ...version(number), alias });

test("[V11] a task's model in use is named with its run; one that was not promoted says so", () => {
  expect(inUseWords({ inUse: inUse(78, "champion") })).toBe("version 78, run 6");
  expect(inUseWords({ inUse: inUse(10, null) })).toBe("none; version 10 is served, not promoted");
  expect(inUseWords({ inUse: null })).toBe("none: no round has been committed");
});

test("[V11] the list counts what is promoted and what is merely served", () => {
  const [promoted, served, none] = [inUse(1, "champion"), inUse(1, null), null].map((one) =>
    taskViewOf({ inUse: one }),
  );
  if (promoted === undefined || served === undefined || none === undefined) throw new Error("three views");
  expect(modelsLead([])).toBe("No task yet, so there is no model.");
  expect(modelsLead([none])).toBe("1 task; none has a model yet.");
  expect(modelsLead([promoted])).toBe("1 task; one has a promoted model.");
  expect(modelsLead([promoted, served, none])).toBe(
    "3 tasks; one has a promoted model, one serves one that is not promoted.",
  );
});

describe("[V11] the first words of a model's page", () => {
  const lead = (candidate: ModelVersionView | null, alias: "champion" | null = "champion") =>
    modelLead(taskViewOf({ inUse: inUse(12, alias) }), candidate);

  test("say what is in use", () => {
    expect(modelLead(taskViewOf({ inUse: null }), null)).toContain("No model yet.");
    expect(lead(version(12))).toBe("Version 12 is in use.");
    expect(lead(version(12), null)).toBe(
      "No version is promoted. Until one is, the newest is served: version 12.",
    );
  });

  test("compare the newest candidate only on the same rows", () => {
    const next = (change: Partial<Record<keyof ModelVersionView, unknown>>) => lead(version(15, change));
    expect(next({})).toContain("too close to tell");
    expect(next({ measures: accuracy(0.4) })).toContain("its figure is worse");
    expect(next({ measures: accuracy(0.999) })).toContain("its figure is better");
    expect(next({ measures: null })).toContain("it is not judged yet");
    expect(next({ measuredOn: "9a".repeat(32) })).toContain("judged on another held-out set");
    const unnamed = { measures: accuracy(0.9) };
    expect(comparedWith(unnamed, unnamed)).toBe("not comparable");
  });
});

test("[V11] the line of what is in use is drawn among figures of the same held-out set alone", () => {
  const share = { name: "accuracy", unit: "share" } as const;
  const last = { version: 15, measuredOn: SET };
  expect(championLine(inUse(12, "champion"), share, last)).toEqual({
    y: 0.95,
    label: "0.950 version 12, in use",
  });
  const other = { version: 15, measuredOn: "9a".repeat(32) };
  expect(championLine(inUse(12, "champion"), share, other)).toBeNull();
  expect(championLine(inUse(12, "champion"), share, { version: 15 })).toBeNull();
  expect(championLine(inUse(12, "champion"), share, null)).toBeNull();
  expect(championLine(inUse(12, null), share, last)).toBeNull();
  // Its own figure would be drawn over the line's name.
  expect(championLine(inUse(15, "champion"), share, last)).toBeNull();
});

test("[V11] a version is named with its aliases, or as the last of its run", () => {
  expect(standingWords(version(3, { aliases: ["champion", "shadow"] }))).toBe("@champion, in use, @shadow");
  expect(standingWords(version(3))).toBe("last of its run");
  expect(standingWords(version(3, { isCandidate: false }))).toBe("");
  expect(lineageSentence("digits", version(3, { aliases: ["previous"] }))).toBe(
    "Version 3, @previous: round 15 of run 6, under version 1 of digits; accuracy 0.950 ± 0.020.",
  );
});

test("[V7] a run's page names its candidate, and which version is in use", () => {
  const run = { runId: ID as never, candidate: 12, newestVersion: 7 };
  const start = "Version 12, of round 7: the candidate of this run.";
  const other = (number: number, alias: "champion" | null) => ({
    ...inUse(number, alias),
    runId: "ef".repeat(16) as never,
    runNumber: 1,
  });
  expect(candidateNote(run, inUse(12, "champion"))).toBe(`${start} It is in use.`);
  expect(candidateNote(run, inUse(9, "champion"))).toBe(`${start} In use is version 9.`);
  expect(candidateNote(run, other(9, "champion"))).toBe(`${start} In use is version 9 of run 1.`);
  expect(candidateNote(run, inUse(12, null))).toBe(`${start} It is served, because no version is promoted.`);
  expect(candidateNote(run, other(14, null))).toBe(
    `${start} No version is promoted; version 14 of run 1 is served.`,
  );
  expect(candidateNote({ ...run, candidate: null }, null)).toBe(
    "The model of round 7, in the formats of other tools.",
  );
  expect(inUseSentence(inUse(9, "champion"))).toBe("Version 9 is in use.");
});

test("[G3] figures are those of the promoted model; without one, the newest that there are", () => {
  const [old, newest] = [accuracy(0.8), accuracy(0.95)];
  const champion = { ...inUse(9, "champion"), measures: old };
  expect(figuresInUse({ inUse: champion, measures: newest })).toEqual(old);
  expect(figuresInUse({ inUse: { ...champion, measures: null }, measures: newest })).toBeNull();
  expect(figuresInUse({ inUse: { ...inUse(9, null), measures: null }, measures: newest })).toEqual(newest);
  expect(figuresInUse({ inUse: null, measures: null })).toBeNull();
});

test("[V11] the newest candidate stands beside what is in use, by its figure alone", () => {
  const words = (change: Parameters<typeof version>[1], alias: "champion" | null = "champion") =>
    candidateWords(version(15, change), inUse(12, alias));
  expect(words({ measures: accuracy(0.8) })).toBe("version 15, accuracy 0.800 ± 0.020: worse");
  expect(words({ measures: accuracy(0.96) })).toBe("version 15, accuracy 0.960 ± 0.020: too close to tell");
  expect(words({ measures: null })).toBe("version 15: not judged yet");
  expect(words({}, null)).toBe("version 15, accuracy 0.950 ± 0.020");
  expect(candidateWords(version(12), inUse(12, "champion"))).toBe("is in use");
});

test("[V15] the address names two versions of the list, or none", () => {
  const models = [version(15), version(12), version(9)];
  expect(pairNamed("15-12", models)).toEqual({ first: 12, second: 15 });
  for (const odd of [null, "", "15", "15-15", "15-99", "__proto__-1", "15-12-9", "1e1-12"])
    expect(pairNamed(odd, models)).toBeNull();
});

test("[V15] [V16] what one chooses from is named by run or by version; rows by their hash", () => {
  expect(runTitle(version(15, { aliases: ["challenger"] }))).toBe("run 6, last version 15, @challenger");
  expect(versionTitle(version(12, { isCandidate: false }))).toBe("version 12, run 6");
  const { heldOut } = taskViewOf();
  expect(setNodeWords(SET, heldOut ?? null)).toBe("held-out set 3f3f3f3f, replaced");
  expect(setNodeWords(SET, { ...FAKE_HELD_OUT, hash: SET as HashHex })).toBe(
    "held-out set 3f3f3f3f, 714 rows",
  );
});

test("[V16] a picture of lineage has data and held-out rows beside runs and versions", () => {
  const models = [
    version(15, { runId: "ab".repeat(16), runNumber: 7 }),
    version(12),
    version(9, { measuredOn: "4a".repeat(32) }),
  ];
  const { tasks, sets, height } = lineageOf(models, 1_000);
  expect(tasks.map(({ runs }) => runs.map(({ versions }) => versions.length))).toEqual([[1, 2]]);
  expect(sets.map(({ hash, versions }) => [hash.slice(0, 2), versions.length])).toEqual([
    ["3f", 2],
    ["4a", 1],
  ]);
  const places = [...(tasks[0]?.runs.flatMap(({ versions }) => versions) ?? []), ...sets].map(({ y }) => y);
  expect(new Set(places).size).toBe(5);
  expect(Math.max(...places)).toBeLessThan(height);
});
