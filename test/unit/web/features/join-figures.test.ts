import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { looksUniform } from "#shared/stats/uniform.ts";
import { cutOf } from "#web/features/join/bins.ts";

import { ownLine } from "#web/features/join/own-line.ts";
import { movePen, PEN_AT_START, PEN_STEPS, type Pen } from "#web/features/join/pen.ts";
import { rowToInput } from "#web/features/join/row-input.ts";
import { fullStrength, strengthOf, tilePlan } from "#web/features/join/tiles.ts";
import { tileSentence } from "#web/words/contribution.ts";

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
    // Unit 9 is in the second row of tiles, second from the left; its pixel (row 3, column 5) has weight [29, 9].
    expect(plan.indexByCell[(8 + 3) * 64 + 8 + 5]).toBe((3 * 8 + 5) * 32 + 9);
    expect(new Set(plan.indexByCell).size).toBe(2_048);
  });

  test("tables and large pictures: the first numbers, row by row, without repeats", () => {
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

  test("one outlier does not make the others pale", () => {
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
  test("a tall bin is cut and marked, even ones are not", () => {
    expect(cutOf([1, 4, 100, 4, 1])).toEqual({ top: 6, brokenBin: 2 });
    expect(cutOf([7, 8, 9])).toEqual({ top: 9, brokenBin: null });
    expect(cutOf([0, 0])).toEqual({ top: 1, brokenBin: null });
  });

  test("flat: uniform draws pass, an update does not, and few numbers prove nothing", () => {
    let state = 12_345;
    const counts = new Array<number>(33).fill(0);
    for (let draw = 0; draw < 2_441; draw++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const bin = Math.floor((state / 2 ** 32) * 33);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    expect(looksUniform(counts)).toBe(true);
    expect(looksUniform(counts.map((count, bin) => (bin === 16 ? count + 90 : count)))).toBe(false);
    expect(looksUniform(new Array<number>(33).fill(2))).toBe(false);
  });
});

describe("one's own line of the score", () => {
  const openedAt = "2026-07-08T14:00:00.000Z";
  const at = (seconds: number) => Date.parse(openedAt) + 1_000 * seconds;
  const round = {
    round: 8,
    phase: "committed",
    code: null,
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

  test("is this device's place in the newest count that it belongs to", () => {
    expect(ownLine(round, { downloading: at(0.5) }, null)).toBe(5);
    expect(ownLine(round, { downloading: at(0.5), advertised: at(2.4) }, null)).toBe(3);
    expect(ownLine(round, { downloading: at(0.5), advertised: at(2.4), uploaded: at(5.2) }, null)).toBe(2);
  });

  test("ends in a ring for a dropout: the first to leave ends the top line", () => {
    const outcome = { kind: "dropped", code: "ME_DROPPED", sentence: "", sent: false, at: at(5.9) } as const;
    expect(ownLine(round, { downloading: at(0.5) }, outcome)).toBe(5);
  });

  test("is another existing line if the clock is off", () => {
    for (const seconds of [-100, 0, 100]) {
      const line = ownLine(round, { uploaded: at(seconds) }, null) ?? 0;
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(4);
    }
    expect(ownLine(round, {}, null)).toBeNull();
  });
});

describe("the keyboard's pen", () => {
  test("arrows move, space draws, a second space ends the line", () => {
    let pen: Pen = PEN_AT_START;
    for (const key of ["ArrowUp", " ", "ArrowDown", "ArrowRight"]) pen = movePen(pen, key)?.pen ?? pen;
    expect(pen.stroke).toHaveLength(3);
    const lifted = movePen(pen, " ");
    expect(lifted?.finished).toBe(pen.stroke);
    expect(lifted?.pen.stroke).toBeNull();
    expect(lifted?.said).toBe("Pen up, column 10, row 9.");
  });

  test("stays on the pad, and leaves other keys to the page", () => {
    let pen: Pen = PEN_AT_START;
    for (let step = 0; step < 40; step++) pen = movePen(pen, "ArrowLeft")?.pen ?? pen;
    expect([pen.column, pen.row]).toEqual([0, PEN_STEPS / 2]);
    expect(movePen(pen, "Tab")).toBeNull();
    expect(movePen(pen, "Enter")).toBeNull();
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

  test("becomes the model's input, without the protected attribute", () => {
    const row = rowToInput(values, features);
    const width = hmda.model.inputShape[0] ?? 0;
    expect(row.ok && row.value.length).toBe(width);
    // Upper bounds become 1, the first of two categories 1 and 0.
    const expected = features.columns
      .filter(({ input }) => input)
      .flatMap(({ type }) => (type === "numeric" ? [1] : [1, 0]));
    expect(row.ok && [...row.value]).toEqual(expected);
  });

  test("says which value is wrong and what is expected", () => {
    const numeric = features.columns.find(({ type }) => type === "numeric")?.name ?? "";
    const row = rowToInput({ ...values, [numeric]: "a lot" }, features);
    expect(row.ok).toBe(false);
    expect(!row.ok && row.error).toMatch(/^The row has “a lot” in the column .*a number is wanted/);
  });
});
