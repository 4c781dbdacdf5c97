import { describe, expect, test } from "vitest";
import { readCsv } from "#shared/data/read-csv.ts";
import { rowsMaxOf, wholeReport } from "#shared/data/report.ts";
import { joinDatasets, pickRows } from "#shared/task/dataset.ts";
import { featuresSchema, type ImageFeatures } from "#shared/task/features.ts";
import { shuffledIndices } from "#shared/task/shuffle.ts";

const table = featuresSchema.parse({
  kind: "tabular",
  columns: [
    { name: "age", type: "numeric", range: [0, 100] },
    { name: "colour", type: "categorical", categories: ["red", "green", "blue"] },
    { name: "group", type: "categorical", categories: ["a", "b"], protected: true, input: false },
  ],
  label: { name: "deny" },
  classes: ["no", "yes"],
});
const picture = featuresSchema.parse({
  kind: "image",
  height: 2,
  width: 2,
  range: [0, 16],
  classes: ["0", "1", "2"],
}) as ImageFeatures;

function refusal(text: string, features = table) {
  const read = readCsv(text, features);
  if (read.ok) throw new Error("the file was taken");
  return read.error;
}
function imported(text: string, features = table) {
  const read = readCsv(text, features);
  if (!read.ok) throw new Error(read.error.sentence);
  return read.value;
}

describe("a CSV file", () => {
  test("becomes scaled numbers, one-hot categories and class indices; a protected column stays out of the input", () => {
    const { dataset, report } = imported("deny,colour,age,group\nno,green,25,a\nyes,red,100,b\n");
    expect([...dataset.inputs]).toEqual([0.25, 0, 1, 0, 1, 1, 0, 0]);
    expect([...dataset.labels]).toEqual([0, 1]);
    expect(report).toEqual(wholeReport(2));
  });

  test.each([
    ["semicolons", "age;colour;group;deny\n50;blue;b;yes"],
    ["tabs", "age\tcolour\tgroup\tdeny\n50\tblue\tb\tyes"],
    [
      "a byte order mark, quotes, blanks and empty lines",
      '\ufeff"age" , colour,group,deny\r\n\r\n 50 ,"blue",b,yes\r\n\r\n',
    ],
  ])("may have %s", (_, text) => {
    const { dataset } = imported(text);
    expect([...dataset.inputs]).toEqual([0.5, 0, 0, 1]);
    expect([...dataset.labels]).toEqual([1]);
  });

  test("of a picture task has its pixels in columns", () => {
    const { dataset } = imported("p0,p1,p2,p3,label\n0,4,8,16,2", picture);
    expect([...dataset.inputs]).toEqual([0, 0.25, 0.5, 1]);
    expect([...dataset.labels]).toEqual([2]);
  });

  test.each([
    ["is empty", "", "empty", /empty/],
    ["is not text", "age,colour\u0000\u0001", "not-text", /CSV/],
    ["lacks columns", "age,deny\n1,no", "missing-columns", /nothing for colour, group\. Without them/],
    ["lacks its header", "1,red,a,no\n2,red,a,no", "missing-columns", /first line must name the columns/],
    ["names a column twice", "age,colour,group,deny,age\n1,red,a,no,2", "unsure-columns", /“age”/],
    ["has no rows", "age,colour,group,deny\n", "no-rows", /no rows/],
    ["has no good row", "age,colour,group,deny\nx,red,a,no", "no-good-rows", /Row 1 has “x”/],
  ])("that %s is refused with a sentence", (_, text, type, sentence) => {
    const error = refusal(text);
    expect(error.type).toBe(type);
    expect(error.sentence).toMatch(sentence);
  });

  test("of a million rows is refused with the limit", () => {
    const error = refusal(`age,colour,group,deny\n${"1,red,a,no\n".repeat(1_000_000)}`);
    expect(error).toMatchObject({ type: "too-many-rows" });
    expect(error.sentence).toContain("200,000");
  });

  test("loses only its bad rows, each named with what is wrong", () => {
    const good = "50,red,a,no";
    const { dataset, report } = imported(
      `age,colour,group,deny\n${[good, "old,red,a,no", good, "50,pink,a,no", "50,red,a,maybe", "101,red,a,no", "50,red,a", "50,red,a,no,1", ",red,a,no", "1e999,red,a,no", "0x1f,red,a,no", "NaN,red,a,no", "50,red,z,no"].join("\n")}`,
    );
    expect(dataset.count).toBe(2);
    expect([...dataset.inputs]).toEqual([0.5, 1, 0, 0, 0.5, 1, 0, 0]);
    expect(report.rowsLeftOut).toBe(11);
    expect(report.problems.map((problem) => problem.sentence)).toEqual([
      "Row 2 has “old” in the column “age”, where a number is wanted.",
      "Row 4 has “pink” in the column “colour”, which is not one of red, green, blue.",
      "Row 5 is labelled “maybe”, which is not one of no, yes.",
      "Row 6 has 101 in the column “age”, where 0 to 100 is wanted.",
      "Row 7 has 3 columns where 4 are needed.",
      "Row 8 has 5 columns where 4 are needed.",
      "Row 9 has nothing in the column “age”.",
      "Row 10 has “1e999” in the column “age”, where a number is wanted.",
      "Row 11 has “0x1f” in the column “age”, where a number is wanted.",
      "Row 12 has nothing in the column “age”.",
      "Row 13 has “z” in the column “group”, which is not one of a, b.",
    ]);
  });

  test("with thousands of bad rows names the first 50 and counts the rest", () => {
    const { report } = imported(`age,colour,group,deny\n1,red,a,no\n${"x,red,a,no\n".repeat(5_000)}`);
    expect(report).toMatchObject({ rowsRead: 5_001, rowsTaken: 1, rowsLeftOut: 5_000 });
    expect(report.problems).toHaveLength(50);
  });
});

test("rows are joined and picked in order", () => {
  const part = (value: number) => ({
    inputs: Float32Array.of(value, value, value, -value),
    labels: Float32Array.of(value, 9),
    count: 2,
  });
  const joined = joinDatasets([part(1), part(2)]);
  expect([...joined.inputs]).toEqual([1, 1, 1, -1, 2, 2, 2, -2]);
  expect([...pickRows(joined, Uint32Array.of(3, 0)).inputs]).toEqual([2, -2, 1, 1]);
  expect([...pickRows(joined, Uint32Array.of(3, 0)).labels]).toEqual([9, 1]);
});

test("wide rows lower the limit, so that they fit a page's memory", () => {
  expect(rowsMaxOf(table)).toBe(200_000);
  expect(rowsMaxOf({ ...picture, height: 100, width: 100 })).toBe(5_000);
});

test("a seeded order is a permutation, the same each time, and depends on the seed", () => {
  const order = shuffledIndices(1_000, 42);
  expect([...order].sort((left, right) => left - right)).toEqual(
    Array.from({ length: 1_000 }, (_, index) => index),
  );
  expect(shuffledIndices(1_000, 42)).toEqual(order);
  expect(shuffledIndices(1_000, 43)).not.toEqual(order);
  // In a fair shuffle about one of 1,000 places keeps its index.
  expect(order.filter((value, index) => value === index).length).toBeLessThan(8);
});
