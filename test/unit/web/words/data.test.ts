import { expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { csvColumns } from "#shared/data/csv-columns.ts";
import { wholeReport } from "#shared/data/report.ts";
import { taskSliceOf } from "#test/kit/web-views.ts";
import { csvNote, dataNote, heldBackSentence, importSentence, oneOf, rangeWords } from "#web/words/data.ts";

const slice = taskSliceOf(8);

test("what is here is counted in the task's words", () => {
  expect(dataNote({ count: 0 }, slice)).toMatch(/^Nothing is here yet\./);
  expect(dataNote({ count: 1 }, slice)).toBe("1 drawing, stored in this browser and nowhere else.");
  expect(heldBackSentence({ count: 40, localCount: 8 }, slice)).toBe(
    "40 drawings; 8 of them are held back to judge the model here.",
  );
});

test("a CSV file of pictures has a column for each pixel, a table names its own", () => {
  expect(csvNote(slice.task.features, "drawing")).toContain("columns p0 to p63,");
  const colour = bundledTask("emoji", 8, 1).features;
  const names = csvColumns(colour).map(({ name }) => name);
  expect(csvNote(colour, "picture")).toContain(
    `columns ${names[0]} to ${names.at(-2)}, row by row of the picture, with red, green and blue of each pixel, and ${names.at(-1)}.`,
  );
  expect(csvNote(bundledTask("hmda", 8, 1).features, "row")).toContain("whose first line names the columns");
});

test("an import says what was left out, with the first two reasons", () => {
  const problems = ["Row 2 is short.", "Row 3 has no label.", "Row 9 is short."].map((sentence, index) => ({
    row: index,
    sentence,
  }));
  expect(importSentence("a.csv", { ...wholeReport(4), rowsTaken: 1, rowsLeftOut: 3, problems })).toBe(
    "a.csv: 4 rows read, 1 taken, 3 left out. Row 2 is short. Row 3 has no label.",
  );
  expect(importSentence("a.csv", wholeReport(1))).toBe("a.csv: 1 row read.");
});

test("values that a column may have", () => {
  expect(rangeWords({ range: [0, 16] })).toBe("0 to 16");
  expect(rangeWords({ range: [18, 99], unit: "years" })).toBe("18 to 99 years");
  // Years have no separator, amounts do.
  expect(rangeWords({ range: [1990, 2024] })).toBe("1990 to 2024");
  expect(rangeWords({ range: [-0.5, 1_000_000], unit: "dollars" })).toBe("-0.5 to 1,000,000 dollars");
  expect(oneOf(["no", "yes"])).toBe("no or yes");
  expect(oneOf(["a", "b", "c"])).toBe("a, b, c");
  expect(oneOf(Array.from({ length: 13 }, (_, index) => String(index)))).toBe("one of 13: 0, 1, 2, 3, ...");
});
