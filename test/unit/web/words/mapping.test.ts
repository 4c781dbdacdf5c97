import { expect, test } from "vitest";
import type { ColumnLook } from "#shared/data/read-csv.ts";
import { wholeReport } from "#shared/data/report.ts";
import { accountWords, howWords, needsLook, rowsWords, wantedWords } from "#web/words/mapping.ts";

const look: ColumnLook = {
  name: "age",
  place: 0,
  how: "same",
  isSure: true,
  doubt: null,
  firstValues: ["71"],
  words: [],
  decimal: "point",
  isDecimalOpen: false,
};

test("how a column was found, and whether a person should look", () => {
  expect(howWords(look)).toBe("the same word");
  expect(needsLook(look)).toBe(false);
  const values: ColumnLook = { ...look, how: "values", isSure: false, doubt: { type: "resembles" } };
  expect(howWords(values)).toBe("its values fit; please check");
  expect(needsLook(values)).toBe(true);
  const twice = { type: "twice", places: [0, 2] } as const;
  expect(howWords({ ...look, isSure: false, doubt: twice })).toBe(
    "the same word; another column has it too; please check",
  );
  const pounds = { type: "unit", file: "lb", task: "kg" } as const;
  expect(howWords({ ...look, how: "spelling", isSure: false, doubt: pounds })).toBe(
    "a similar name; lb, not kg; please check",
  );
  const words: ColumnLook = {
    ...look,
    how: "spelling",
    words: [
      { word: "F", count: 3, means: "female", how: "synonym" },
      { word: "x", count: 1, means: undefined, how: "unknown" },
    ],
  };
  expect(howWords(words)).toBe("a similar name; other words inside; F read as female");
  expect(needsLook(words)).toBe(true);
  expect(needsLook({ ...look, place: null, how: "none" })).toBe(true);
});

test("what a column takes, and why a protected one is asked for", () => {
  expect(
    wantedWords({
      name: "a",
      type: "numeric",
      range: [10, 100],
      unit: "years",
      protected: false,
      input: true,
    }),
  ).toBe("10 to 100 years");
  expect(
    wantedWords({
      name: "s",
      type: "categorical",
      categories: ["f", "m"],
      protected: true,
      input: false,
      why: "To compare.",
    }),
  ).toBe("f or m. Not learnt from. To compare.");
});

test("rows add up in words", () => {
  expect(accountWords({ ...wholeReport(412), rowsTaken: 398, rowsLeftOut: 14 })).toBe(
    "412 rows read, 398 taken, 14 left out",
  );
  expect(rowsWords([14, 77, 120, 121, 130, 140], 9)).toBe("rows 14, 77, 120, 121, 130 and 4 more");
  expect(rowsWords([3], 1)).toBe("row 3");
});
