import { describe, expect, test } from "vitest";
import { sourceOf } from "#shared/archive/byte-source.ts";
import { type Mapping, mappingSchema } from "#shared/data/match/mapping.ts";
import { mappingOf, withColumn } from "#shared/data/match/mapping-of.ts";
import { proposeMapping } from "#shared/data/match/propose-mapping.ts";
import { type ReadingOptions, readTable } from "#shared/data/read-csv.ts";
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
  expect(matches.find(({ column }) => column.name === "sex")?.isSure).toBe(false);
});
