import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { cutOf, looksFlat } from "#web/features/join/bins.ts";
import { previewCsv, rowToInput } from "#web/features/join/csv-preview.ts";
import { ownLine } from "#web/features/join/own-line.ts";
import { movePen, PEN_AT_START, PEN_STEPS, type Pen } from "#web/features/join/pen.ts";
import { fullStrength, strengthOf, tilePlan, tileSentence } from "#web/features/join/tiles.ts";

const digits = bundledTask("digits", 8, 1);
const hmda = bundledTask("hmda", 8, 1);
const fashion = bundledTask("fashion-mnist", 10, 1);

describe("the squares of an update", () => {
  test("digits: 32 tiles of 8 by 8, each the weights of one hidden unit as it sees the picture", () => {
    const plan = tilePlan(digits, 2_048);
    expect([plan.columns, plan.rows, plan.cellCount]).toEqual([64, 32, 2_048]);
    expect(tileSentence(plan)).toBe(
      "The same 2,048 numbers three times, one small square each; 32 tiles of 8 by 8.",
    );
    // Unit 9 stands in the second row of tiles, second from the left; its pixel (row 3, column 5) has weight [29, 9].
    expect(plan.indexByCell[(8 + 3) * 64 + 8 + 5]).toBe((3 * 8 + 5) * 32 + 9);
    expect(new Set(plan.indexByCell).size).toBe(2_048);
  });

  test("tables and large pictures: the first numbers, row by row, none twice", () => {
    for (const [task, length] of [
      [hmda, 300],
      [fashion, 2_048],
    ] as const) {
      const plan = tilePlan(task, length);
      expect(plan.tile).toBeNull();
      expect([...plan.indexByCell].filter((index) => index >= 0)).toEqual(
        Array.from({ length }, (_, i) => i),
      );
      expect(plan.columns).toBeLessThanOrEqual(64);
    }
  });

  test("one outlier does not pale the rest", () => {
    const plan = tilePlan(hmda, 300);
    const values = new Int32Array(300).fill(10);
    values[7] = 1_000_000;
    const full = fullStrength(values, plan);
    expect(strengthOf(10, full)).toBe(1);
    expect(strengthOf(-5, full)).toBeGreaterThan(0.5);
    expect(fullStrength(new Int32Array(300), plan)).toBe(1);
  });
});

describe("histograms", () => {
  test("a tall bin is cut and named, an even one is not", () => {
    expect(cutOf([1, 4, 100, 4, 1])).toEqual({ top: 6, brokenBin: 2 });
    expect(cutOf([7, 8, 9])).toEqual({ top: 9, brokenBin: null });
    expect(cutOf([0, 0])).toEqual({ top: 1, brokenBin: null });
  });

  test("flat: uniform draws pass, an update does not, few numbers prove nothing", () => {
    let state = 12_345;
    const counts = new Array<number>(33).fill(0);
    for (let draw = 0; draw < 2_441; draw++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const bin = Math.floor((state / 2 ** 32) * 33);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    expect(looksFlat({ counts })).toBe(true);
    expect(looksFlat({ counts: counts.map((count, bin) => (bin === 16 ? count + 90 : count)) })).toBe(false);
    expect(looksFlat({ counts: new Array<number>(33).fill(2) })).toBe(false);
  });
});

describe("one's own line of the score", () => {
  const openedAt = "2026-07-08T14:00:00.000Z";
  const at = (seconds: number) => Date.parse(openedAt) + 1_000 * seconds;
  const round = {
    round: 8,
    phase: "committed",
    opened: true,
    openedAt,
    nowS: 9,
    deadlineS: null,
    phaseEndsS: { recruiting: 2, training: 4, advertising: 4, sharing: 5, collecting: 8 },
    joined: 5,
    trained: 5,
    sent: 4,
    left: 1,
    shared: 5,
    survivors: 4,
    threshold: 3,
    goal: 5,
    counts: [
      { atS: 0, joined: 2, trained: 0, sent: 0, left: 0 },
      { atS: 1, joined: 5, trained: 0, sent: 0, left: 0 },
      { atS: 3, joined: 5, trained: 3, sent: 0, left: 0 },
      { atS: 4, joined: 5, trained: 5, sent: 0, left: 0 },
      { atS: 6, joined: 5, trained: 5, sent: 2, left: 1 },
      { atS: 7, joined: 5, trained: 5, sent: 4, left: 1 },
    ],
  } as const satisfies Parameters<typeof ownLine>[0];

  test("the place in the newest count that this device belongs to", () => {
    expect(ownLine(round, { downloading: at(0.5) }, null)).toBe(5);
    expect(ownLine(round, { downloading: at(0.5), advertised: at(2.4) }, null)).toBe(3);
    expect(ownLine(round, { downloading: at(0.5), advertised: at(2.4), uploaded: at(5.2) }, null)).toBe(2);
  });

  test("a dropout has a line that ends in a ring: the first to leave ends the top one", () => {
    const outcome = { kind: "dropped", code: "ME_DROPPED", sentence: "", sent: false, at: at(5.9) } as const;
    expect(ownLine(round, { downloading: at(0.5) }, outcome)).toBe(5);
  });

  test("a clock that is off gives another line, never one that is not there", () => {
    for (const seconds of [-100, 0, 100]) {
      const line = ownLine(round, { uploaded: at(seconds) }, null) ?? 0;
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(4);
    }
    expect(ownLine(round, {}, null)).toBeNull();
  });
});

describe("the keyboard's pen", () => {
  test("arrows move, space draws, space again ends the line", () => {
    let pen: Pen = PEN_AT_START;
    for (const key of ["ArrowUp", " ", "ArrowDown", "ArrowRight"]) pen = movePen(pen, key)?.pen ?? pen;
    expect(pen.stroke).toHaveLength(3);
    const lifted = movePen(pen, " ");
    expect(lifted?.finished).toBe(pen.stroke);
    expect(lifted?.pen.stroke).toBeNull();
    expect(lifted?.said).toBe("Pen up, column 10, row 9.");
  });

  test("it stays on the pad, and leaves other keys to the page", () => {
    let pen: Pen = PEN_AT_START;
    for (let step = 0; step < 40; step++) pen = movePen(pen, "ArrowLeft")?.pen ?? pen;
    expect([pen.column, pen.row]).toEqual([0, PEN_STEPS / 2]);
    expect(movePen(pen, "Tab")).toBeNull();
    expect(movePen(pen, "Enter")).toBeNull();
  });
});

describe("a CSV file before it is added", () => {
  const hmdaText = readFileSync(new URL("../../coordinator/data/hmda.csv", import.meta.url), "utf8");
  const digitsText = readFileSync(new URL("../../coordinator/data/digits.csv", import.meta.url), "utf8");

  test("the head of a long file: every column found, the cut-off last line not counted as a bad row", () => {
    const preview = previewCsv(hmdaText.slice(0, 20_000), false, hmda.features);
    expect(preview.refusal).toBeNull();
    expect(preview.problems).toEqual([]);
    expect(preview.columns.every(({ state }) => state === "found")).toBe(true);
    expect(preview.columns.find(({ name }) => name === "deny")?.examples).toEqual(["no", "no", "no"]);
  });

  test("pictures: the pixels are one line of the check, the first ones are shown", () => {
    const preview = previewCsv(digitsText.slice(0, 3_000), false, digits.features);
    expect(preview.columns.map(({ name, state }) => [name, state])).toEqual([
      ["p0 to p63", "found"],
      ["label", "found"],
    ]);
    expect(preview.pictures.map(({ label }) => label)).toEqual([0, 1, 2, 3, 4]);
    expect(preview.pictures[0]?.pixels[3]).toBeCloseTo(13 / 16);
  });

  test("a missing and a foreign column are named, and the file is refused", () => {
    const text = hmdaText.split("\n").slice(0, 4).join("\n").replace("pirat", "income");
    const preview = previewCsv(text, true, hmda.features);
    expect(preview.refusal?.type).toBe("missing-columns");
    expect(
      preview.columns.filter(({ state }) => state !== "found").map(({ name, state }) => [name, state]),
    ).toEqual([
      ["pirat", "missing"],
      ["income", "extra"],
    ]);
  });

  test("bad rows are counted and said", () => {
    const [header = "", first = "", second = ""] = digitsText.split("\n");
    const text = [header, first, second.replace(/^\d+/, "ink"), first.slice(2)].join("\n");
    const preview = previewCsv(text, true, digits.features);
    expect(preview.rowsGood).toBe(1);
    expect(preview.problems.map(({ row }) => row)).toEqual([2, 3]);
    expect(previewCsv("", true, digits.features).refusal?.type).toBe("empty");
  });
});

describe("a row typed into the form", () => {
  if (hmda.features.kind !== "tabular") throw new Error("hmda is a table");
  const { features } = hmda;
  const values = Object.fromEntries(
    features.columns.map((column) => [
      column.name,
      column.type === "numeric" ? String(column.range[1]) : (column.categories[0] ?? ""),
    ]),
  );

  test("becomes the numbers that the model takes, the protected attribute left out", () => {
    const row = rowToInput(values, features);
    const width = hmda.model.inputShape[0] ?? 0;
    expect(row.ok && row.value.length).toBe(width);
    // Upper bounds become 1, the first of two categories 1 and 0.
    const expected = features.columns
      .filter(({ input }) => input)
      .flatMap(({ type }) => (type === "numeric" ? [1] : [1, 0]));
    expect(row.ok && [...row.value]).toEqual(expected);
  });

  test("says which value is wrong and what is wanted", () => {
    const numeric = features.columns.find(({ type }) => type === "numeric")?.name ?? "";
    const row = rowToInput({ ...values, [numeric]: "a lot" }, features);
    expect(row.ok).toBe(false);
    expect(!row.ok && row.error).toMatch(/^The row has “a lot” in the column .*a number is wanted/);
  });
});
