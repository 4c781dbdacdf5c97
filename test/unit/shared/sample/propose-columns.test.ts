import { describe, expect, test } from "vitest";
import { type ProposedColumn, proposeColumns } from "#shared/sample/propose-columns.ts";
import { type TableProfile, TableProfiler } from "#shared/sample/table-profiler.ts";
import { rareAndPublic, rarePublicWords } from "#web/words/workshop.ts";

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

test("[K2] the label keeps a class of one row, and the page names it as one that becomes public", () => {
  const rows = Array.from({ length: 101 }, (_, index) => [
    String(index % 7),
    index === 0 ? "transferred" : index % 2 === 0 ? "yes" : "no",
  ]);
  const columns = proposed(["age", "answer"], rows);
  const label = columns.get("answer");
  expect(label?.fields).toMatchObject({ use: "label", categories: ["no", "transferred", "yes"], other: "" });
  const profile = profileOf(["age", "answer"], rows).columns[1] ?? null;
  const rare = label === undefined ? [] : rareAndPublic(label.fields, profile);
  expect(rare).toEqual(["transferred"]);
  expect(rarePublicWords("answer", { use: "label" }, rare)).toMatch(
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
