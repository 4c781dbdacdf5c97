import { describe, expect, test } from "vitest";
import { sourceOf } from "#shared/archive/byte-source.ts";
import { type Mapping, mappingSchema } from "#shared/data/match/mapping.ts";
import { mappingOf, withColumn } from "#shared/data/match/mapping-of.ts";
import { proposeMapping } from "#shared/data/match/propose-mapping.ts";
import { type ReadingOptions, readCsv, readTable } from "#shared/data/read-csv.ts";
import { featuresSchema } from "#shared/task/features.ts";
import { openDecoder, textBytes } from "#test/kit/tables/sources.ts";

const features = featuresSchema.parse({
  kind: "tabular",
  columns: [
    { name: "age_years", title: "Age", type: "numeric", range: [10, 100] },
    { name: "prior_stays", type: "numeric", range: [0, 12] },
    { name: "stay_days", type: "numeric", range: [0, 40] },
    { name: "smoker", type: "categorical", categories: ["no", "former", "yes"], missing: "category" },
    { name: "sex", type: "categorical", categories: ["female", "male"], protected: true, input: false },
  ],
  label: { name: "readmitted_30d" },
  classes: ["no", "yes"],
});
const HEADER = "Age;Prev. stays;LOS;Smoking;M/F;Readmit 30;Ward";
const ROWS = ["71;2;6,5;never;F;0;A", "58;0;25,5;ex;M;1;B", "83;5;13,0;current;F;0;A", "44;1;2,0;n/k;M;1;A"];
const TEXT = [HEADER, ...ROWS].join("\n");

async function read(text: string, options: ReadingOptions = {}) {
  const read = await readTable(sourceOf(textBytes(text)), openDecoder, features, {
    takesUnsure: true,
    ...options,
  });
  if (read.look === null || !read.outcome.ok)
    throw new Error(read.outcome.ok ? "" : read.outcome.error.sentence);
  return { look: read.look, ...read.outcome.value };
}

/** What the person says to the words in a column. */
const SMOKING = {
  column: "smoker",
  from: "Smoking",
  words: [
    { word: "never", means: "no" },
    { word: "ex", means: "former" },
    { word: "current", means: "yes" },
  ],
};

describe("[F7] a clinic's export", () => {
  test("is matched by words, spelling, likeness and values, and says which need a look", async () => {
    const { look } = await read(TEXT);
    const found = look.columns.map(({ name, place, how, isSure }) => [
      name,
      look.header[place ?? -1],
      how,
      isSure,
    ]);
    expect(found).toEqual([
      ["age_years", "Age", "spelling", true],
      ["prior_stays", "Prev. stays", "similar", false],
      ["stay_days", "LOS", "values", false],
      ["smoker", "Smoking", "similar", false],
      ["sex", "M/F", "values", false],
      ["readmitted_30d", "Readmit 30", "similar", false],
    ]);
    const smoking = look.columns.find(({ name }) => name === "smoker");
    expect(smoking?.words.map(({ word, means, how }) => [word, means, how])).toEqual([
      ["never", null, "unknown"],
      ["ex", null, "unknown"],
      ["current", null, "unknown"],
      ["n/k", null, "unknown"],
    ]);
    expect(look.columns.find(({ name }) => name === "sex")?.words.map(({ means }) => means)).toEqual([
      "female",
      "male",
    ]);
  });

  test("is read as the person says, and the mapping is remembered for the same header only", async () => {
    const said = withColumn(null, SMOKING);
    const first = await read(TEXT, { mapping: said });
    const mapping = mappingOf(first.look, said);
    expect(mappingSchema.parse(JSON.parse(JSON.stringify(mapping)))).toEqual(mapping);
    const remembered = { header: first.look.header, mapping };
    const next = await read(`${TEXT}\n60;0;1,5;ex;F;1;C\n`, { remembered, takesUnsure: false });
    expect(next.look.isRemembered).toBe(true);
    expect(next.look.columns.every(({ isSure }) => isSure)).toBe(true);
    expect(next.report.rowsTaken).toBe(5);
    // ex is former: the second of the four, after three numbers.
    expect([...next.dataset.inputs.slice(4 * 7 + 3)]).toEqual([0, 1, 0, 0]);
    const other = await read(TEXT.replace("Ward", "Room"), { remembered });
    expect(other.look.isRemembered).toBe(false);
    expect(other.look.columns.some(({ isSure }) => !isSure)).toBe(true);
  });

  test("changed by the person: a column that is given away leaves the one that had it", () => {
    const first = withColumn(null, { column: "stay_days", from: "LOS", place: 3 });
    const second = withColumn(first, { column: "prior_stays", from: "LOS", place: 3 });
    expect(second.columns).toEqual([{ column: "prior_stays", from: "LOS", place: 3 }]);
  });

  test("a mapping about columns that the file does not have changes nothing", async () => {
    const mapping: Mapping = {
      columns: [
        { column: "age_years", from: "Alter" },
        { column: "nothing", from: "Age" },
      ],
    };
    const { look } = await read(TEXT, { mapping });
    expect(look.columns[0]).toMatchObject({ how: "spelling", place: 0 });
  });

  test.each([
    ["an unknown field", { columns: [], more: 1 }],
    ["a prototype as a word", { columns: [{ column: "a", from: "b", words: { __proto__: "x" } }] }],
    ["a place of 0", { columns: [{ column: "a", from: "b", place: 0 }] }],
    ["another encoding", { columns: [], encoding: "utf-7" }],
  ])("%s is no mapping", (_, value) => {
    expect(mappingSchema.safeParse(value).success).toBe(false);
  });
});

test("[F7] no column of a file is used twice, whatever it is called", () => {
  const header = ["age", "Age", "AGE", "age_years", "LOS", "stay days", "__proto__", "sex", "sex"];
  const matches = proposeMapping(header, [], features);
  const places = matches.flatMap(({ place }) => place ?? []);
  expect(new Set(places).size).toBe(places.length);
  expect(matches.find(({ column }) => column.name === "sex")?.doubt).toEqual({
    type: "twice",
    places: [7, 8],
  });
});

/** What a file says in the column `header`, for a task with one column of numbers in a unit; the label is `back`. */
function readColumn(
  header: string,
  cells: readonly string[],
  column: { name: string; unit?: string; range: [number, number] },
) {
  const task = featuresSchema.parse({
    kind: "tabular",
    columns: [{ type: "numeric", ...column }],
    label: { name: "back" },
    classes: ["no", "yes"],
  });
  const rows = cells.map((cell) => `"${cell}";yes`);
  return readCsv([`${header};back`, ...rows].join("\n"), task);
}

describe("[F7] what only resembles a column of the task", () => {
  const hourly = { name: "hourly", unit: "dollars", range: [0, 100] as [number, number] };
  const weight = { name: "weight", unit: "kg", range: [0, 300] as [number, number] };

  test.each([
    ["hours", hourly, "“hours” resembles “hourly”"],
    ["painkillers", { ...hourly, name: "pain" }, "“painkillers” resembles “pain”"],
    ["agency", { ...hourly, name: "age" }, "“agency” resembles “age”"],
    ["weight (lb)", { ...weight, name: "weight (kg)" }, "“weight (lb)” is in lb, and “weight (kg)” is in kg"],
    ["Weight [lb]", weight, "“Weight [lb]” is in lb, and “weight” is in kg"],
    [
      "stay (hours)",
      { ...weight, name: "stay", unit: "days" },
      "“stay (hours)” is in hours, and “stay” is in days",
    ],
    [
      "speed (m/s)",
      { ...weight, name: "speed", unit: "ms" },
      "“speed (m/s)” is in m/s, and “speed” is in ms",
    ],
  ])("“%s” is asked about, though its numbers fit", (header, column, sentence) => {
    const read = readColumn(header, ["10", "20"], column);
    expect(read).toMatchObject({ ok: false, error: { type: "unsure-columns" } });
    expect(!read.ok && read.error.sentence).toContain(sentence);
  });

  test.each([
    ["Weight (kg)", weight],
    ["weight (KGs)", weight],
    ["weight", { ...weight, name: "weight (kg)" }],
    ["weight (lb)", { name: "weight", range: weight.range }],
    ["Age (in yrs.)", { ...weight, name: "age", unit: "years" }],
    ["pay ($ per hour)", { ...weight, name: "pay", unit: "dollars an hour" }],
  ])("“%s” is the column", (header, column) => {
    expect(readColumn(header, ["10", "20"], column)).toMatchObject({ ok: true });
  });

  test("of two columns that differ in their unit only, the one with the task's is taken", () => {
    const read = readColumn("weight (lb);weight (kg)", ['150";"70', '220";"100'], weight);
    expect(read.ok && read.value.report.rowsTaken).toBe(2);
    expect(read.ok && [...read.value.dataset.inputs].map((input) => Math.round(input * 300))).toEqual([
      70, 100,
    ]);
  });

  test("a name that two columns have is said as such, not as a likeness", () => {
    const twice = readColumn("back", ["yes", "no"], weight);
    expect(twice).toMatchObject({ ok: false, error: { type: "missing-columns" } });
    const label = readColumn("weight;back", ['10";"no', '20";"no'], weight);
    expect(!label.ok && label.error.sentence).toContain(
      "look at this file first: two columns are called “back”.",
    );
    const spelt = readColumn("Weight;WEIGHT", ['10";"9', '20";"9'], weight);
    expect(!spelt.ok && spelt.error.sentence).toContain("“Weight” and “WEIGHT” are both names of “weight”");
  });
});

describe("[F6] what stands beside a number", () => {
  const column = { name: "income", range: [0, 10_000] as [number, number] };
  const takenOf = (unit: string | undefined, cell: string) => {
    const read = readColumn("income", [cell, "1"], unit === undefined ? column : { ...column, unit });
    if (!read.ok) throw new Error(read.error.sentence);
    const { report, dataset } = read.value;
    return report.rowsTaken === 2
      ? Math.round((dataset.inputs[0] ?? 0) * 10_000)
      : report.problems[0]?.sentence;
  };

  test.each([
    ["dollars", "$ 100", 100],
    ["thousand dollars", "100 USD", 100],
    ["USD", "US$100", 100],
    ["CAD", "$100", 100],
    ["EUR", "€ 100", 100],
    ["dollars", "100 dollars", 100],
    ["Rs", "Rs. 100", 100],
    [undefined, "100 EUR", 100],
    ["%", "5 %", 5],
    [undefined, "5 %", 5],
    ["share", "5%", 5],
  ])("in %s, “%s” is %d", (unit, cell, value) => {
    expect(takenOf(unit, cell)).toBe(value);
  });

  test.each([
    ["dollars", "100 EUR"],
    ["EUR", "$ 100"],
    ["dollars", "£100"],
    ["days", "5 %"],
    ["days", "$5"],
    ["kg", "5 lb"],
  ])("in %s, “%s” is no number, and the row is left out by name", (unit, cell) => {
    expect(takenOf(unit, cell)).toBe(
      `Row 1 has “${cell}” in the column “income”, where a number in ${unit} is wanted.`,
    );
  });

  test("each thing that was done is told by a number that it was done to", () => {
    const read = readColumn("income", ["1.234", "6,5", "€ 7,25"], { ...column, unit: "EUR" });
    expect(read.ok && read.value.report.notes.map(({ sentence }) => sentence)).toEqual([
      "Decimal commas read as points, in “income”: 6,5 is 6.5.",
      "Groups of thousands read as one number, in “income”: 1.234 is 1234.",
      "Currencies and units dropped, in “income”: € 7,25 is 7.25.",
      "Columns are parted by semicolons.",
    ]);
  });
});
