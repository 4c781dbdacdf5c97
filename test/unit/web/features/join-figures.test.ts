import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { readCsv } from "#shared/data/read-csv.ts";
import { present } from "#shared/kernel/assert.ts";
import { looksUniform } from "#shared/stats/uniform.ts";
import { featuresSchema, type SeriesFeatures, type TabularFeatures } from "#shared/task/features.ts";
import { cutOf } from "#web/features/join/bins.ts";

import { ownLine } from "#web/features/join/own-line.ts";
import { movePen, PEN_AT_START, PEN_STEPS, type Pen } from "#web/features/join/pen.ts";
import { coloursOf } from "#web/features/join/pixel-canvas.tsx";
import { rowToInput, seriesToInput, textToSeries } from "#web/features/join/row-input.ts";
import { fullStrength, strengthOf, tilePlan } from "#web/features/join/tiles.ts";
import { tileSentence } from "#web/words/contribution.ts";
import { fieldError, startSeries } from "#web/words/trying.ts";

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

  test("says at the field which value is wrong and what is expected", () => {
    const numeric = present(
      features.columns.find(({ type }) => type === "numeric"),
      "hmda has numbers",
    );
    const row = rowToInput({ ...values, [numeric.name]: "a lot" }, features);
    expect(!row.ok && [...row.error.keys()]).toEqual([numeric.name]);
    expect(!row.ok && row.error.get(numeric.name)).toBe(fieldError(numeric));
  });

  test("takes decimal commas, but not a comma that may stand for thousands", () => {
    const age = { name: "age", type: "numeric", range: [0, 2_000], protected: false, input: true } as const;
    const only = { ...features, columns: [{ ...age, range: [0, 2_000] as [number, number] }] };
    const read = (text: string) => {
      const row = rowToInput({ age: text }, only);
      return row.ok ? row.value[0] : "refused";
    };
    expect([read("500"), read("500,0"), read("0,5000"), read("1,234"), read("")]).toEqual([
      0.25,
      0.25,
      Math.fround(0.000_25),
      "refused",
      "refused",
    ]);
  });

  test("may lack what the task allows to be missing", () => {
    const columns = featuresSchema.parse({
      kind: "tabular",
      columns: [
        { name: "age", type: "numeric", range: [0, 100], missing: "middle" },
        { name: "smoker", type: "categorical", categories: ["no", "yes"], missing: "category" },
      ],
      label: { name: "deny" },
      classes: ["no", "yes"],
    }) as TabularFeatures;
    const row = rowToInput({ age: "", smoker: "" }, columns);
    expect(row.ok && [...row.value]).toEqual([0.5, 0, 0, 1]);
  });
});

describe("a series that was pasted", () => {
  const features = bundledTask("pen-digits", 8, 1).features as SeriesFeatures;
  const steps = Array.from({ length: 8 }, (_, step) => [step * 10, 100 - step * 10]);
  const read = (text: string) => {
    const series = textToSeries(text, features);
    return series.ok ? series.value : series.error;
  };

  test("may be step by step, channel by channel, or in the order of a CSV file", () => {
    expect(read(steps.map((step) => step.join(" ")).join("\n"))).toEqual(steps);
    expect(read(steps.map((step) => step.join(", ")).join("\r\n"))).toEqual(steps);
    expect(read([0, 1].map((at) => steps.map((step) => step[at]).join("\t")).join("\n"))).toEqual(steps);
    expect(read(steps.flat().join(","))).toEqual(steps);
    const halves = steps.map((step) => step.map((value) => value / 4));
    expect(read(halves.map((step) => step.join(";").replaceAll(".", ",")).join("\n"))).toEqual(halves);
    expect(read(startSeries(features))).toHaveLength(8);
  });

  test("becomes the model's input as a row of a CSV file does", () => {
    const input = seriesToInput(steps, features);
    const csv = readCsv(
      `${steps.flatMap((_, step) => [`x${step}`, `y${step}`]).join(",")},digit\n${steps.flat().join(",")},3\n`,
      features,
    );
    expect(input.ok && csv.ok && [...input.value]).toEqual(csv.ok && [...csv.value.dataset.inputs]);
  });

  test("that is too short, or has other numbers, is refused with what is wanted", () => {
    expect(read("1 2 3")).toBe("The series has 16 numbers, 2 for each of 8 steps; here are 3.");
    expect(read(steps.flat().join(" ").replace("30", "300"))).toMatch(/0 to 100 is wanted/);
    expect(read(steps.flat().join(" ").replace("30", "x"))).toMatch(/number/);
  });
});

test("a colour picture is painted in its own colours", () => {
  expect([...coloursOf(Float32Array.of(1, 0, 0, 0.5, 0.5, 1))]).toEqual([255, 0, 0, 255, 128, 128, 255, 255]);
});
