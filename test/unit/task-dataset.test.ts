import { describe, expect, test } from "vitest";
import { joinDatasets, pickRows, readCsv, readIdx, rowsMaxOf } from "#shared/task/dataset.ts";
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
    expect(report).toEqual({ rowsRead: 2, rowsLeftOut: 0, problems: [] });
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
    ["lacks columns", "age,deny\n1,no", "missing-columns", /colour, group are missing/],
    ["lacks its header", "1,red,a,no\n2,red,a,no", "missing-columns", /first line must name the columns/],
    [
      "has a column too many",
      "age,colour,group,deny,name\n1,red,a,no,Eve",
      "too-many-columns",
      /column name\. Remove it/,
    ],
    ["names a column twice", "age,colour,group,deny,age\n1,red,a,no,2", "too-many-columns", /column age/],
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

  test("loses its bad rows only, each named with what is wrong", () => {
    const good = "50,red,a,no";
    const { dataset, report } = imported(
      `age,colour,group,deny\n${[good, "old,red,a,no", good, "50,pink,a,no", "50,red,a,maybe", "101,red,a,no", "50,red,a", "50,red,a,no,1", ",red,a,no", "1e999,red,a,no", "0x1f,red,a,no", "NaN,red,a,no", "50,red,z,no"].join("\n")}`,
    );
    expect(dataset.count).toBe(2);
    expect([...dataset.inputs]).toEqual([0.5, 1, 0, 0, 0.5, 1, 0, 0]);
    expect(report.rowsLeftOut).toBe(11);
    expect(report.problems.map((problem) => problem.sentence)).toEqual([
      "Row 2 has “old” in the column “age”, where a number is wanted.",
      "Row 4 has “pink” in the column “colour”, which is none of red, green, blue.",
      "Row 5 is labelled “maybe”, which is none of no, yes.",
      "Row 6 has 101 in the column “age”, where 0 to 100 is wanted.",
      "Row 7 has 3 columns where 4 are needed.",
      "Row 8 has 5 columns where 4 are needed.",
      "Row 9 has nothing in the column “age”.",
      "Row 10 has “1e999” in the column “age”, where a number is wanted.",
      "Row 11 has “0x1f” in the column “age”, where a number is wanted.",
      "Row 12 has “NaN” in the column “age”, where a number is wanted.",
      "Row 13 has “z” in the column “group”, which is none of a, b.",
    ]);
  });

  test("with thousands of bad rows names the first 50 and counts the rest", () => {
    const { report } = imported(`age,colour,group,deny\n1,red,a,no\n${"x,red,a,no\n".repeat(5_000)}`);
    expect(report).toMatchObject({ rowsRead: 1, rowsLeftOut: 5_000 });
    expect(report.problems).toHaveLength(50);
  });
});

describe("IDX files", () => {
  const header = (...axes: number[]) => [
    0,
    0,
    8,
    axes.length,
    ...axes.flatMap((length) => [0, 0, length >> 8, length & 255]),
  ];
  const pictures = Uint8Array.from([...header(2, 2, 2), 0, 4, 8, 16, 16, 0, 0, 0]);
  const labels = Uint8Array.from([...header(2), 2, 0]);

  test("become rows", () => {
    const read = readIdx(pictures, labels, picture);
    if (!read.ok) throw new Error(read.error.sentence);
    expect([...read.value.dataset.inputs]).toEqual([0, 0.25, 0.5, 1, 1, 0, 0, 0]);
    expect([...read.value.dataset.labels]).toEqual([2, 0]);
  });

  test.each([
    ["pictures that are none", Uint8Array.from([1, 2, 3]), labels, "unreadable"],
    ["pictures cut short", pictures.subarray(0, 20), labels, "unreadable"],
    ["labels for pictures", labels, labels, "unreadable"],
    ["labels cut short", pictures, labels.subarray(0, 9), "unreadable"],
    ["fewer labels than pictures", pictures, Uint8Array.from([...header(1), 2]), "bad-shape"],
    ["pictures of another size", Uint8Array.from([...header(2, 1, 2), 0, 4, 8, 16]), labels, "bad-shape"],
    ["a label outside the classes", pictures, Uint8Array.from([...header(2), 2, 3]), "no-good-rows"],
    ["no pictures", Uint8Array.from(header(0, 2, 2)), Uint8Array.from(header(0)), "no-rows"],
  ])("with %s are refused", (_, first, second, type) => {
    expect(readIdx(first, second, picture)).toMatchObject({ ok: false, error: { type } });
  });
});

test("rows are joined and picked in order", () => {
  const part = (value: number) => ({
    inputs: Float32Array.of(value, value, value, -value),
    labels: Int32Array.of(value, 9),
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

test("a seeded order is a permutation, the same each time, and moves with the seed", () => {
  const order = shuffledIndices(1_000, 42);
  expect([...order].sort((left, right) => left - right)).toEqual(
    Array.from({ length: 1_000 }, (_, index) => index),
  );
  expect(shuffledIndices(1_000, 42)).toEqual(order);
  expect(shuffledIndices(1_000, 43)).not.toEqual(order);
  // Of 1,000 places about one keeps its index in a fair shuffle.
  expect(order.filter((value, index) => value === index).length).toBeLessThan(8);
});
