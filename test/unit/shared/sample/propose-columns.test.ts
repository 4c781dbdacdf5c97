import { describe, expect, test } from "vitest";
import { type ProposedColumn, proposeColumns } from "#shared/sample/propose-columns.ts";
import { type TableProfile, TableProfiler } from "#shared/sample/table-profiler.ts";
import { rareAndPublic, rareWords } from "#web/words/workshop.ts";

function proposed(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): Map<string, ProposedColumn> {
  return new Map(proposeColumns(profileOf(header, rows)).map((column) => [column.name, column]));
}

function profileOf(header: readonly string[], rows: readonly (readonly string[])[]): TableProfile {
  const profiler = new TableProfiler(header);
  for (const row of rows) profiler.add(row);
  return profiler.profile();
}

/** One column of `count` values beside a label, so that the column is not the label. */
function alone(name: string, value: (index: number) => string, count = 200): ProposedColumn {
  const rows = Array.from({ length: count }, (_, index) => [value(index), index % 3 === 0 ? "yes" : "no"]);
  return proposed([name, "label"], rows).get(name) as ProposedColumn;
}

const NAMES = ["Ada Lovelace", "Emmy Noether", "Mary Ann Evans", "Sofia van Dyck", "Élodie O’Hara"];

describe("[K3] columns that point at a person are left out, with the reason", () => {
  test.each([
    ["patient_ref", (index: number) => `P${1_000_000 + 7 * index}`, "person-numbers"],
    ["ssn", (index: number) => `${100 + index}-${10 + (index % 80)}-${1_000 + 3 * index}`, "person-numbers"],
    ["contact", (index: number) => `person${index}@clinic.example`, "mail-addresses"],
    [
      "consultant",
      (index: number) =>
        `${NAMES[index % 5]} ${String.fromCharCode(65 + (index % 26))}${"abcdefgh".slice(0, 1 + (index % 8))}${"xyz".slice(index % 3)}`,
      "names",
    ],
    [
      "surname",
      (index: number) =>
        `Name${String.fromCharCode(97 + (index % 26), 97 + (index % 25))}${"q".repeat(index % 7)}`,
      "names",
    ],
    ["note", (index: number) => `went home after ${index} days and felt well again`, "free-text"],
    ["born", (index: number) => `19${10 + (index % 90)}-0${1 + (index % 9)}-1${index % 10}`, "dates"],
    ["row", (index: number) => String(index + 1), "row-numbers"],
    ["", (index: number) => String(index), "row-numbers"],
    ["batch", () => "7", "one-value"],
    ["clinic", (index: number) => ["north", "south", "east"][index % 3] as string, "one-per-device"],
    ["drug", (index: number) => `drug ${index % 90} abc`, "many-values"],
    ["nothing", () => "NA", "empty"],
  ])("%s", (name, value, reason) => {
    const column = alone(name, value);
    expect(column.leftOutBecause).toBe(reason);
    expect(column.fields.use).toBe("left-out");
  });

  test.each([
    ["age_years", (index: number) => String(20 + (index % 60))],
    ["earnings", (index: number) => String(20_000 + 137 * index)],
    ["ratio", (index: number) => String(index / 1_000)],
    ["admission", (index: number) => (index % 2 === 0 ? "planned" : "emergency")],
    ["city", (index: number) => ["New York", "Los Angeles", "San Diego"][index % 3] as string],
  ])("%s is not one of them", (name, value) => {
    expect(alone(name, value).leftOutBecause).toBeNull();
  });
});

test("[K2] categories of fewer than five rows are folded into one, and none of their words is proposed", () => {
  const values = (index: number) => (index < 3 ? "transfer" : index < 100 ? "planned" : "emergency");
  const { fields } = alone("admission", values);
  expect(fields.categories).toEqual(["emergency", "planned"]);
  expect(fields.other).toBe("other");
  expect(JSON.stringify(fields)).not.toContain("transfer");
});

test("[K2] a class of one row that the person keeps is named as one that becomes public", () => {
  const rows = Array.from({ length: 101 }, (_, index) => [
    String(index % 7),
    index === 0 ? "transferred" : index % 2 === 0 ? "yes" : "no",
  ]);
  const columns = proposed(["age", "answer"], rows);
  const label = columns.get("answer");
  expect(label?.fields).toMatchObject({ use: "label", categories: ["no", "yes"], other: "" });
  const profile = profileOf(["age", "answer"], rows).columns[1] ?? null;
  const kept = ["no", "transferred", "yes"];
  const rare = label === undefined ? [] : rareAndPublic({ ...label.fields, categories: kept }, profile);
  expect(rare).toEqual(["transferred"]);
  expect(rareWords("answer", rare, { use: "label" })).toMatch(
    /^In answer, “transferred” would be public, and fewer than five rows have it\. Each class is learnt/,
  );
});

test("types, ranges, units, categories and the label of a table of readmissions", () => {
  const rows = Array.from(
    { length: 400 },
    (_, index) =>
      [
        String(18 + (index % 79)),
        (4.4 + (index % 95) / 10).toFixed(1),
        index % 6 === 0 ? "" : ["no", "former", "yes"][index % 3],
        ["f", "m"][index % 2],
        index % 7 === 0 ? "yes" : "no",
      ] as string[],
  );
  const columns = proposed(["age_years", "HbA1c (%)", "smoker", "sex", "readmitted_30d"], rows);
  expect(columns.get("age_years")?.fields).toMatchObject({
    use: "input",
    type: "number",
    title: "Age",
    unit: "years",
    from: "10",
    to: "100",
    missing: "refuse",
  });
  expect(columns.get("HbA1c (%)")?.fields).toMatchObject({ title: "HbA1c", unit: "%", from: "4", to: "14" });
  expect(columns.get("smoker")?.fields).toMatchObject({
    type: "category",
    categories: ["no", "former", "yes"],
    missing: "category",
  });
  expect(columns.get("sex")?.fields).toMatchObject({ use: "asked", protected: true });
  expect(columns.get("readmitted_30d")?.fields).toMatchObject({
    use: "label",
    type: "category",
    categories: ["no", "yes"],
  });
});

test("a last column of many numbers is a number that is learnt", () => {
  const rows = Array.from({ length: 300 }, (_, index) => [String(index % 12), (7 + index / 9).toFixed(2)]);
  expect(proposed(["schooling", "hourly"], rows).get("hourly")?.fields).toMatchObject({
    use: "label",
    type: "number",
    from: "5",
    to: "45",
  });
});

describe("[F6] numbers of a sample are read as devices read theirs", () => {
  test.each([
    ["decimal commas", (index: number) => `${index % 40},5`, { from: "0", to: "40" }],
    ["per cent signs", (index: number) => `${5 + (index % 90)} %`, { from: "0", to: "100", unit: "%" }],
    [
      "less than one per cent",
      (index: number) => `0.${1 + (index % 9)}%`,
      { from: "0.1", to: "100", unit: "%" },
    ],
    ["a currency", (index: number) => `$ ${2 + (index % 7)}`, { from: "2", to: "8" }],
    ["a minus sign", (index: number) => `\u2212${3 + (index % 7)}`, { from: "-9", to: "-3" }],
    ["groups of thousands", (index: number) => `1,${100 + index},000`, { from: "1080000", to: "1300000" }],
    ["decimals below one", (index: number) => `0,${125 + index}`, { from: "0.12", to: "0.34" }],
    [
      "the dot of SAS",
      (index: number) => (index % 4 === 0 ? "." : String(index % 50)),
      { missing: "middle" },
    ],
  ])("%s", (_, value, fields) => {
    const column = alone("measure", value);
    expect(column.leftOutBecause).toBeNull();
    expect(column.fields).toMatchObject({ type: "number", ...fields });
    expect(column.twoWays).toBeNull();
  });

  test("numbers that can be read in two ways are asked about, with both ranges", () => {
    const { twoWays } = alone("income", (index) => `${1 + (index % 9)},${100 + 3 * index}`);
    expect(twoWays).toEqual({
      written: "1,234",
      asThousands: { from: "1000", to: "10000" },
      asDecimals: { from: "1", to: "10" },
    });
    const points = alone("income", (index) => `${1 + (index % 9)}.${100 + 3 * index}`);
    expect(points.twoWays).toEqual({
      written: "1.234",
      asThousands: { from: "1000", to: "10000" },
      asDecimals: { from: "1", to: "10" },
    });
  });

  test("one number of the column that can be read in one way only tells how all are meant", () => {
    const column = alone("income", (index) =>
      index === 7 ? "12,5" : `${1 + (index % 9)},${100 + 3 * index}`,
    );
    expect(column.twoWays).toBeNull();
    expect(column.fields).toMatchObject({ from: "0", to: "14" });
  });
});

test("[F1] [K1] lines that end with a delimiter are rows, and lines with one cell more are none", () => {
  const profiler = new TableProfiler(["a", "b", "back"]);
  for (let index = 0; index < 50; index++) profiler.add([String(index), "x", "yes", ""]);
  profiler.add(["1", "x", "yes", "more"]);
  profiler.add(["1", "x"]);
  expect(profiler.profile()).toMatchObject({ rows: 50, otherWidth: 2 });
});

test("[K4] a table of more columns than a task takes proposes the first of them, and says why the others are left out", () => {
  const names = Array.from({ length: 2_000 }, (_, at) => `gene ${at} here`);
  const profiler = new TableProfiler([...names, "outcome"]);
  for (let row = 0; row < 40; row++) {
    profiler.add([...names.map((_, at) => String((row * 7 + at) % 31)), row % 2 === 0 ? "yes" : "no"]);
  }
  const proposed = proposeColumns(profiler.profile());
  expect(proposed.filter(({ fields }) => fields.use === "input").length).toBe(512);
  expect(proposed.at(-1)?.fields.use).toBe("label");
  expect(proposed.filter(({ leftOutBecause }) => leftOutBecause === "over-limit").length).toBe(1_488);
  expect(proposed[600]).toMatchObject({
    leftOutBecause: "over-limit",
    fields: { use: "left-out", from: "0" },
  });
});

test("[K2] a class of fewer than five rows is no class, and its words are not proposed", () => {
  const rows = Array.from({ length: 100 }, (_, index) => [
    String(index % 30),
    index === 7 ? "hit by tram" : index % 3 === 0 ? "yes" : "no",
  ]);
  const label = proposed(["age", "outcome"], rows).get("outcome");
  expect(label?.fields).toMatchObject({ use: "label", categories: ["no", "yes"] });
  expect(JSON.stringify(label)).not.toContain("tram");
  // Also if no class is left.
  const few = Array.from({ length: 40 }, (_, index) => [String(index % 30), `case ${index % 12}`]);
  expect(proposed(["age", "outcome"], few).get("outcome")?.fields).toMatchObject({
    use: "label",
    categories: [],
  });
});

test("[K3] a later column of the same name is left out, and the first stays", () => {
  const rows = Array.from({ length: 60 }, (_, index) => [
    String(20 + (index % 40)),
    index % 2 === 0 ? "f" : "m",
    index % 3 === 0 ? "yes" : "no",
  ]);
  const profiler = new TableProfiler(["age", "age", "back"]);
  for (const row of rows) profiler.add(row);
  expect(
    proposeColumns(profiler.profile()).map(({ fields, leftOutBecause }) => [fields.use, leftOutBecause]),
  ).toEqual([
    ["input", null],
    ["left-out", "same-name"],
    ["label", null],
  ]);
});

test("[K3] categories of which none has five rows are left out, not one category alone", () => {
  expect(alone("colour", (index) => `colour ${index % 12}`, 30).leftOutBecause).toBe("few-rows");
  expect(alone("colour", (index) => (index < 20 ? "red" : `colour ${index}`), 30)).toMatchObject({
    leftOutBecause: null,
    fields: { categories: ["red"], other: "other" },
  });
});

test("a label that is called so may have as many classes as categories are proposed, in the order of letters", () => {
  const letters = Array.from({ length: 26 }, (_, at) => String.fromCharCode(97 + at));
  const rows = Array.from({ length: 260 }, (_, index) => [
    String((index * 7) % 11),
    String(index % 13),
    letters[index % 26] as string,
  ]);
  const columns = proposed(["x", "z", "label"], rows);
  expect(columns.get("label")?.fields).toMatchObject({ use: "label", type: "category", categories: letters });
  expect(columns.get("z")?.fields).toMatchObject({ use: "input", type: "number" });
});

test("[F7] spellings that devices read as one word are one class, in the spelling of most rows", () => {
  const words = ["Yes", "no", "yes", "No", "yes", "no"];
  const rows = Array.from({ length: 120 }, (_, index) => [String(index % 30), words[index % 6] as string]);
  expect(proposed(["age", "back"], rows).get("back")?.fields).toMatchObject({ categories: ["no", "yes"] });
  const column = alone("smoker", (index) => (index < 3 ? "YES" : (words[index % 6] as string)));
  expect(column.fields).toMatchObject({ categories: ["no", "yes"], other: "" });
});
