import { describe, expect, test } from "vitest";
import type { RunView } from "#shared/protocol/api.ts";
import { OWN_RUNS } from "#shared/tracking/own-runs.ts";
import { parseFilter } from "#shared/tracking/search-text.ts";
import { runViewOf, taskViewOf } from "#test/kit/web-views.ts";
import { columnsNamed, experimentColumns, orderText, paramTitle } from "#web/words/experiment-columns.ts";
import {
  ofRuns,
  pageNamed,
  pageWords,
  readyFilters,
  withinTask,
  wrongFilterWords,
} from "#web/words/experiment-filters.ts";
import {
  needsSameRows,
  numberParams,
  pointWords,
  scatterOf,
  upChoices,
  wantsLog,
} from "#web/words/experiment-scatter.ts";
import { areOnSameRows, measuredOnWords, oneSet, scatterNote } from "#web/words/experiment-sets.ts";
import { type NamedView, readViews, withoutView, withView } from "#web/words/experiment-views.ts";
import {
  type ExperimentRow,
  experimentRow,
  experimentsLead,
  fileOfFound,
  pairOf,
  paramDifference,
  tickedWords,
} from "#web/words/experiments.ts";

const accuracy = (value: number) => ({ accuracy: { value, halfWidth95: 0.02, count: 360 } });
const SET = "11".repeat(32);
const FORMER = "22".repeat(32);
const SGD = { epochs: 5, batchSize: 8, proximalMu: 0 };

/** A run that ended with this accuracy, trained at this rate. */
function row(
  number: number,
  learningRate: number,
  value: number | null,
  change: Partial<Record<keyof RunView, unknown>> = {},
): ExperimentRow {
  const history = value === null ? [] : [{ round: 3, measures: accuracy(value), measuredOn: SET }];
  const training = { ...SGD, optimizer: { kind: "sgd", learningRate, momentum: 0 } };
  return experimentRow(
    runViewOf({
      runId: String(number).padStart(32, "0"),
      number,
      task: "digits",
      training,
      history,
      candidate: number * 10,
      ...change,
    }),
    taskViewOf(),
  );
}
const ROWS = [row(1, 0.05, 0.936), row(2, 0.2, 0.964), row(3, 0.5, null, { state: "failed", task: "hmda" })];
const NAMES = {
  params: ["odd key", "seed", "strategy.momentum", "training.epochs"],
  metrics: ["accuracy", "devices_loss", "devices_mae", "loss", "survivors"],
  tags: ["note"],
};
const COLUMNS = experimentColumns(NAMES);

test("[V12] the address names columns, of any param, figure and tag that runs have", () => {
  const named = (names: string | null) => columnsNamed(COLUMNS, names).map(({ name }) => name);
  expect(named(null)).toContain("figure");
  expect(named("seed,rounds,tags.note,params.strategy.momentum,__proto__")).toEqual([
    "rounds",
    "seed",
    "params.strategy.momentum",
    "tags.note",
  ]);
  // A param with a column of its own has no second one.
  expect(COLUMNS.filter(({ name }) => name.endsWith("seed"))).toHaveLength(1);
  expect(new Set(COLUMNS.map(({ name }) => name)).size).toBe(COLUMNS.length);
  const tracked = {
    params: [{ key: "strategy.momentum", value: "0.9" }],
    tags: [
      { key: "note", value: "odd one" },
      { key: "fl.task_id", value: "digits" },
    ],
    metrics: [
      { key: "survivors", value: 8, step: 3 },
      { key: "accuracy", value: 0.936, step: 3 },
      { key: "update_norm_l2", value: null, step: 3 },
      { key: "device_kilobytes", value: 26.24, step: 3 },
    ],
  };
  const one = experimentRow(row(1, 0.05, 0.936).run, taskViewOf(), tracked);
  const words = (name: string) => COLUMNS.find((column) => column.name === name)?.words(one);
  expect(words("params.strategy.momentum")).toBe("0.9");
  expect(words("devices")).toBe("8");
  expect([words("traffic"), words("seconds")]).toEqual(["26.2", "none"]);
  expect(words("metrics.accuracy")).toBe("0.936 ± 0.020");
  expect(words("metrics.loss")).toBe("none");
  expect(words("tags")).toBe("note odd one");
  expect(words("noiseMultiplier")).toBe("none");
});

test("[V12] [L15] the coordinator is asked to order, by figures in the order of headlines", () => {
  const order = (text: string) => orderText(COLUMNS, NAMES, text);
  expect(order("-when")).toBe("started DESC");
  expect(order("-training.optimizer.learningRate")).toBe("params.training.optimizer.learningRate DESC");
  expect(order("params.odd key")).toBe("params.`odd key`");
  expect(order("-figure")).toBe(
    "metrics.accuracy DESC,metrics.loss DESC,metrics.devices_loss DESC,metrics.devices_mae DESC",
  );
  expect(order("-loss")).toBe("metrics.loss DESC,metrics.devices_loss DESC");
  expect(order("loss")).toBe("metrics.loss,metrics.devices_loss");
  for (const none of ["nothing", "against", "__proto__", ""]) expect(order(none)).toBe("");
});

test("[V12] ready filters name the reader and the held-out rows in use; pages and choices stand in the address", () => {
  const ready = readyFilters([taskViewOf()], "o'neill", 23);
  expect(ready.map(({ label }) => label)).toContain("all 23");
  expect(ready.find(({ label }) => label === "mine")?.filter).toBe(`by = "o'neill"`);
  expect(readyFilters([], null, null).map(({ label }) => label)).not.toContain("mine");
  expect(withinTask("", "digits")).toBe("task = 'digits'");
  expect(withinTask("run > 2", "digits")).toBe("run > 2 AND task = 'digits'");
  expect(ofRuns(["a", "b"])).toBe("run_id IN ('a', 'b')");
  for (const { filter } of ready) expect(parseFilter(filter, OWN_RUNS).ok, filter).toBe(true);
  expect(pageWords(2, 25, 25, 812)).toBe("26 to 50 of 812");
  expect(pageWords(9, 25, 0, 12)).toBe("none of 12");
  for (const odd of [null, "", "x", "-1", "1.5", "1e9"]) expect(pageNamed(odd)).toBe(1);
  expect(pageNamed("3")).toBe(3);
  expect(wrongFilterWords("Not so.", "run = 1")).toBe("Not so. The table shows the last filter that worked.");
  expect(wrongFilterWords("Not so.", null)).toBe("Not so. The table shows all runs.");
});

describe("[V13] views with a name", () => {
  const saved = (views: readonly NamedView[], name: string, query = "filter=x") => {
    const outcome = withView(views, name, query);
    return outcome.ok ? outcome.views : outcome.sentence;
  };
  test("are kept by name, one of each", () => {
    const first = saved([], " mine ");
    expect(first).toEqual([{ name: "mine", query: "filter=x" }]);
    expect(saved(first as NamedView[], "mine", "")).toEqual([{ name: "mine", query: "" }]);
    expect(withoutView(first as NamedView[], "mine")).toEqual([]);
    expect(readViews(JSON.stringify(first))).toEqual(first);
  });
  test("need a name, and what was kept is not trusted", () => {
    expect(saved([], "  ")).toBe("Give the view a name.");
    expect(saved([], "x".repeat(61))).toBe("A name has at most 60 characters.");
    const many = Array.from({ length: 30 }, (_, index) => ({ name: `v${index}`, query: "" }));
    expect(saved(many, "one more")).toContain("keeps at most 30 views");
    for (const odd of [null, "", "{", "null", '[{"name":1}]', '{"__proto__":1}'])
      expect(readViews(odd)).toEqual([]);
  });
});

describe("[V11] [V12] figures on different rows", () => {
  const on = (number: number, value: number, measuredOn: string | null) =>
    row(number, 0.1, null, {
      history: [{ round: 3, measures: accuracy(value), ...(measuredOn !== null && { measuredOn }) }],
    });
  const onDevices = (number: number, value: number) =>
    row(number, 0.1, null, { deviceHistory: [{ round: 3, measures: accuracy(value) }] });
  const MIXED = [
    on(9, 0.5, SET),
    on(8, 0.9, FORMER),
    onDevices(7, 0.95),
    on(6, 0.99, null),
    row(5, 0.1, null),
    on(4, 0.7, SET),
    on(3, 0.8, FORMER),
    onDevices(2, 0.2),
    on(1, 0.1, null),
  ];

  test("are not drawn together, and it is said how many are left out", () => {
    const judged = MIXED.filter(({ run }) => run.number !== 5);
    const drawn = (asked: string | null) => {
      const { rows, set, leftOut } = oneSet(judged, asked);
      return { set, leftOut, runs: rows.map(({ run }) => run.number) };
    };
    const leftOut = "Six runs are left out: measured on other rows, or it is not known on which.";
    expect(drawn(null)).toEqual({ set: SET, leftOut, runs: [9, 4] });
    expect(drawn(FORMER)).toEqual({ set: FORMER, leftOut, runs: [8, 3] });
    expect(drawn("devices")).toEqual({ set: "devices", leftOut, runs: [7, 2] });
    for (const odd of ["", "__proto__", "constructor"]) expect(drawn(odd).set).toBe(SET);
    expect(oneSet(judged, null).sets).toEqual([SET, FORMER, "devices"]);
    expect(oneSet([on(6, 0.9, null)], null)).toMatchObject({ set: null, rows: [] });
    expect(oneSet([on(9, 0.5, SET)], null).leftOut).toBeNull();
    const all = judged.flatMap((one) =>
      judged.filter((other) => other.run.number > one.run.number && areOnSameRows(one, other)),
    );
    expect(all.map(({ run }) => run.number).toSorted()).toEqual([7, 8, 9]);
    expect(areOnSameRows(on(1, 0.5, SET), row(2, 0.1, 0.5, { task: "hmda" }))).toBe(false);
  });

  test("have their names", () => {
    expect(scatterNote("devices", ["One run is left out."], true)).toMatch(
      /in use stands out\. Each run was measured on the rows of the devices that took part\. One run is left out\.$/,
    );
    expect(oneSet(MIXED.slice(0, 1), null)).toMatchObject({ set: SET, leftOut: null });
    const names = MIXED.slice(0, 5).map(measuredOnWords);
    expect(names).toEqual([
      "other held-out set 11111111",
      "other held-out set 22222222",
      "rows on devices",
      "not known",
      "none",
    ]);
  });
});

test("[V12] a figure is in use if it is that of the promoted version, not of another of its run", () => {
  const champion = (version: number) => ({
    ...{ version, taskVersion: 3, runId: String(4).padStart(32, "0"), runNumber: 4, round: 3 },
    ...{ modelHash: "ab".repeat(32), measures: accuracy(0.9), measuredOn: SET, alias: "champion" },
  });
  const shown = (version: number, change: Partial<Record<keyof RunView, unknown>> = {}) => {
    const { run } = row(4, 0.1, 0.5, { state: "completed", ...change });
    const one = experimentRow(run, taskViewOf({ inUse: champion(version) }));
    const words = (name: string) => COLUMNS.find((column) => column.name === name)?.words(one);
    return { isInUse: one.isInUse, outcome: words("outcome"), against: words("against") };
  };
  expect(shown(40)).toMatchObject({ isInUse: true, against: "is in use" });
  expect(shown(40).outcome).toMatch(/, in use$/);
  expect(shown(38)).toMatchObject({ isInUse: false, against: "worse" });
  expect(shown(38).outcome).toMatch(/; its version 38 is in use$/);
  // Its last version is not judged yet, so the figure is of one before.
  expect(shown(40, { newestVersion: 4 }).isInUse).toBe(false);
});

test("[V12] two runs are compared by their last versions, or it is said why not", () => {
  const [first, second, other] = ROWS;
  if (first === undefined || second === undefined || other === undefined) throw new Error("three rows");
  const heldOut = {
    ...{ hash: "ab".repeat(32), format: "csv", byteCount: 1, rowCount: 1, versions: [1], isUsed: true },
    ...{ setAt: "2026-07-08T14:36:00.000Z", setBy: "k7f2", balance: { kind: "classes", counts: [] } },
    card: { source: "registry", licence: "CC0", ground: "public", collected: "2025" },
  };
  const judged = ({ run }: ExperimentRow) => experimentRow(run, taskViewOf({ heldOut }));
  expect(pairOf(judged(first), second)).toEqual({ ok: true, pair: { first: 10, second: 20 } });
  expect(pairOf(first, other)).toMatchObject({
    ok: false,
    sentence: "Not comparable: they are runs of two tasks.",
  });
  expect(pairOf(judged(first), row(4, 0.1, null, { candidate: null }))).toMatchObject({ ok: false });
  expect(paramDifference(first, second).differ).toEqual([
    { name: "training.optimizer.learningRate", first: "0.05", second: "0.2" },
  ]);
  expect(paramDifference(first, second).same).toContain("training.epochs 5");
});

describe("[V14] a scatter", () => {
  const [across, up] = ["training.optimizer.learningRate", upChoices(NAMES)[0]];
  if (up === undefined) throw new Error("accuracy");

  test("has across what is a number in a run; what differs comes first", () => {
    expect(numberParams(ROWS)[0]).toBe(across);
    expect(numberParams(ROWS)).not.toContain("strategy.kind");
    const seeds = [row(1, 0.1, 0.9, { seed: 1 }), row(2, 0.1, 0.9, { seed: 2 })];
    expect(numberParams(seeds).slice(0, 2)).toEqual(["seed", across]);
  });

  test("has up every measure and every other figure", () => {
    expect(upChoices(NAMES).map(({ name }) => name)).toEqual([
      "accuracy",
      "loss",
      "mae",
      "devices_loss",
      "devices_mae",
      "survivors",
    ]);
    expect(upChoices(NAMES).filter(needsSameRows)).toHaveLength(3);
  });

  test("says which runs it leaves out, and why", () => {
    const odd = [row(4, 0.1, 0.9, { seed: 0 }), row(5, 0.1, 0.8, { seed: 3 })];
    const { points, leftOut } = scatterOf([...ROWS, ...odd], "seed", up, { x: true, y: false });
    expect(points.map(({ row: { run }, y }) => [run.number, y])).toEqual([
      [1, 0.936],
      [2, 0.964],
      [5, 0.8],
    ]);
    expect(leftOut).toEqual([
      "One run is left out: without accuracy.",
      "One run is left out: a logarithmic axis has no place for 0 or less.",
    ]);
    expect(scatterOf(odd, "strategy.kind", up, { x: false, y: false }).leftOut).toEqual([
      "Two runs are left out: strategy.kind is not a number there.",
    ]);
    expect(scatterOf(odd, "seed", up, { x: false, y: false }).points).toHaveLength(2);
  });

  test("reads small and large values aloud with their digits", () => {
    const [, second] = ROWS;
    if (second === undefined) throw new Error("three rows");
    const said = (x: number) => pointWords({ row: second, x, y: 0.25, halfWidth: null }, null);
    expect(said(0.00001)).toBe("run 2: 0.00001, 0.25");
    expect(said(-0.012345)).toBe("run 2: −0.01235, 0.25");
    expect(said(1_250)).toBe("run 2: 1,250, 0.25");
    expect(said(0)).toBe("run 2: 0, 0.25");
    expect(said(100)).toBe("run 2: 100, 0.25");
  });

  test("has a logarithmic axis if it is asked for, or the values are far apart", () => {
    expect(wantsLog(null, [0.02, 0.5])).toBe(true);
    expect(wantsLog(null, [0.1, 0.5])).toBe(false);
    expect(wantsLog(null, [0, 5])).toBe(false);
    expect(wantsLog("0", [0.02, 0.5])).toBe(false);
    expect(wantsLog("1", [1, 2])).toBe(true);
    expect(wantsLog(null, [])).toBe(false);
  });
});

test("[V12] a file of more runs than it may hold says so", () => {
  expect(fileOfFound(10_000)).toBe("All 10,000 runs that the filter finds");
  expect(fileOfFound(12_000)).toBe("The first 10,000 of 12,000 runs that the filter finds");
});

test("[V12] the page says how many runs there are, and how many are found", () => {
  expect(experimentsLead({ foundCount: 23, allCount: 23 }, "")).toBe("23 runs.");
  expect(experimentsLead({ foundCount: 12, allCount: 2_300 }, "run = 1")).toBe(
    "The filter finds 12 of 2,300 runs.",
  );
  expect(experimentsLead({ foundCount: 0, allCount: 0 }, "")).toBe("No run yet.");
  expect(tickedWords([1, 2, 3])).toBe("Three are ticked. For a verdict on the same rows, leave two.");
});

test("[V12] a param has the name of its column, or its own", () => {
  expect(paramTitle("training.optimizer.learningRate")).toBe("Rate");
  expect(paramTitle("strategy.momentum")).toBe("strategy.momentum");
});
