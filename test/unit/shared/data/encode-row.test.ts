import { describe, expect, test } from "vitest";
import { csvColumns } from "#shared/data/csv-columns.ts";
import { encodeInputs, encodeRow } from "#shared/data/encode-row.ts";
import { readCsv } from "#shared/data/read-csv.ts";
import { type Features, featuresSchema, inputSize } from "#shared/task/features.ts";

const parse = (features: unknown): Features => featuresSchema.parse(features);
const table = (columns: unknown[], label: unknown = { name: "y" }, classes: unknown = ["no", "yes"]) =>
  parse({ kind: "tabular", columns, label, ...(classes !== null && { classes }) });

/** The inputs of one row, or what is wrong with it. */
function encoded(features: Features, cells: readonly string[]): number[] | string {
  const target = new Float32Array(inputSize(features));
  const row = encodeRow(cells, csvColumns(features), target);
  return row.ok ? [...target] : row.error.sentence;
}

describe("[E40] a row becomes numbers as the task says", () => {
  const age = { name: "age", type: "numeric", range: [0, 100] };

  test.each([
    ["the range becomes 0 to 1", {}, "25", 0.25],
    ["standard takes the mean off", { scaling: { kind: "standard", mean: 20, deviation: 10 } }, "25", 0.5],
    // log1p(100) = 4.61512, log1p(8) = 2.197225: math.log1p of Python.
    [
      "log1p shrinks what is large",
      { scaling: { kind: "log1p" } },
      "8",
      2.1972245773362196 / 4.61512051684126,
    ],
    ["a missing number is the middle", { missing: "middle" }, "", 0.5],
    ["and so is what tables write for one", { missing: "middle" }, "NA", 0.5],
    [
      "the middle is scaled too",
      { missing: "middle", scaling: { kind: "standard", mean: 20, deviation: 10 } },
      "null",
      3,
    ],
  ])("%s", (_, change, text, expected) => {
    const row = encoded(table([{ ...age, ...change }]), [text, "no"]);
    expect(row[0]).toBeCloseTo(expected, 6);
  });

  test("a missing number without a meaning leaves the row out", () => {
    expect(encoded(table([age]), ["", "no"])).toBe("has nothing in the column “age”");
  });

  const country = { name: "country", type: "categorical", categories: ["NO", "NA", "rest"] };

  test("categories come first, then missing, then other", () => {
    const features = table([{ ...country, other: "rest", missing: "category" }, age]);
    const row = (text: string) => encoded(features, [text, "100", "no"]);
    expect(row("NO")).toEqual([1, 0, 0, 0, 1]);
    // Namibia is a category, although NA often stands for nothing.
    expect(row("NA")).toEqual([0, 1, 0, 0, 1]);
    expect(row("n/a")).toEqual([0, 0, 0, 1, 1]);
    expect(row("")).toEqual([0, 0, 0, 1, 1]);
    expect(row("Chile")).toEqual([0, 0, 1, 0, 1]);
    for (const name of ["__proto__", "constructor", "toString"]) expect(row(name)).toEqual([0, 0, 1, 0, 1]);
  });

  test("a missing category is never the other one", () => {
    const features = table([{ ...country, other: "rest" }]);
    expect(encoded(features, ["", "no"])).toBe("has nothing in the column “country”");
    expect(encoded(features, ["Chile", "no"])).toEqual([0, 0, 1]);
    expect(encoded(table([country]), ["Chile", "no"])).toMatch(/^has “Chile” .* not one of NO, NA, rest$/);
  });

  test("a number's label stays in its unit, and outside its range leaves the row out", () => {
    const features = table(
      [age],
      { name: "pay", unit: "dollars", range: [0, 200], scaling: { kind: "log1p" } },
      null,
    );
    const read = readCsv("age,pay\n50,12.5\n50,201\n50,\n50,x\n", features);
    expect(read.ok && [...read.value.dataset.labels]).toEqual([12.5]);
    expect(read.ok && read.value.report.problems.map(({ sentence }) => sentence)).toEqual([
      "Row 2 has 201 in the column “pay”, where 0 to 200 is wanted.",
      "Row 3 has nothing in “pay”, which is what is learnt.",
      "Row 4 has “x” in the column “pay”, where a number in dollars is wanted.",
    ]);
  });

  test("a row without a label is encoded like one with it", () => {
    const features = table(
      [{ ...country, missing: "category" }, { ...age, input: false }, age].map((column, index) => ({
        ...column,
        name: `c${index}`,
      })),
    );
    if (features.kind !== "tabular") throw new Error("a table");
    const target = new Float32Array(inputSize(features));
    expect(encodeInputs(["NO", "3", "50"], features.columns, target).ok).toBe(true);
    expect([...target]).toEqual([1, 0, 0, 0, 0.5]);
    expect(encodeInputs(["NO", "", "50"], features.columns, target).ok).toBe(false);
  });
});

test("[E40] a series is read by channel and step, in any order of columns", () => {
  const features = parse({
    kind: "series",
    length: 2,
    channels: [
      { name: "x", range: [0, 10] },
      { name: "y", range: [0, 10], scaling: { kind: "standard", mean: 5, deviation: 5 } },
    ],
    label: { name: "digit" },
    classes: ["0", "1"],
  });
  expect(csvColumns(features).map(({ name }) => name)).toEqual(["x0", "y0", "x1", "y1", "digit"]);
  const read = readCsv("digit,y1,y0,x1,x0\n1,0,10,2,1\n", features);
  // [step, channel]
  expect(read.ok && [...read.value.dataset.inputs].map((value) => Number(value.toFixed(6)))).toEqual([
    0.1, 1, 0.2, -1,
  ]);
  expect(read.ok && [...read.value.dataset.labels]).toEqual([1]);
});

test("[E40] a colour picture has red, green and blue of a pixel side by side", () => {
  const features = parse({
    kind: "image",
    height: 1,
    width: 2,
    channels: 3,
    range: [0, 10],
    classes: ["a", "b"],
  });
  expect(csvColumns(features).map(({ name }) => name)).toEqual(["p0", "p1", "p2", "p3", "p4", "p5", "label"]);
});
