import type { ImportReport, ParticipantView, TaskSlice } from "#client/index.ts";
import { type Features, inputSize } from "#shared/task/features.ts";
import { capitalise, formatCount, plural } from "./format.ts";
import { countedExamples } from "./join.ts";

/* The participant page's words for the person's own data and for the files that it comes from. */

/** The note under the part's heading. */
export function dataNote(data: Pick<ParticipantView["data"], "count">, slice: TaskSlice): string {
  if (data.count === 0)
    return "Nothing is here yet. What you bring is stored in this browser and nowhere else.";
  return `${capitalise(countedExamples(data, slice))}, stored in this browser and nowhere else.`;
}

/** How many examples there are, and how many of them judge the model. */
export function heldBackSentence(
  data: Pick<ParticipantView["data"], "count" | "localCount">,
  slice: TaskSlice,
): string {
  return `${capitalise(countedExamples(data, slice))}; ${formatCount(data.localCount)} of them are held back to judge the model here.`;
}

/** What a CSV file for the task looks like. @param noun  One example: "drawing". */
export function csvNote(features: Features, noun: string): string {
  const format =
    features.kind === "image"
      ? `A CSV file with the columns p0 to p${inputSize(features) - 1}, row by row of the picture${features.channels === 3 ? ", with red, green and blue of each pixel" : ""}, and label. One ${noun} on each line.`
      : "A CSV file whose first line names the columns. Order does not matter; comma, semicolon or tab.";
  return `${format} It is read in this browser and nowhere else.`;
}

/** "loans.csv: 400 rows read, 397 taken, 3 left out." with the first two reasons. */
export function importSentence(name: string, report: ImportReport): string {
  const out =
    report.rowsLeftOut === 0
      ? ""
      : `, ${formatCount(report.rowsTaken)} taken, ${formatCount(report.rowsLeftOut)} left out`;
  const reasons = report.problems.slice(0, 2).map(({ sentence }) => sentence);
  return [
    `${name}: ${plural(report.rowsRead, "row")} read${out}.`,
    ...reasons,
    ...report.notes.map(({ sentence }) => sentence),
  ].join(" ");
}

/** "0 to 850 thousand dollars" */
export function rangeWords(column: {
  readonly range: readonly [number, number];
  readonly unit?: string | undefined;
}): string {
  const unit = column.unit === undefined ? "" : ` ${column.unit}`;
  const [from, to] = column.range.map((end) =>
    Number.isInteger(end) && Math.abs(end) >= 10_000 ? formatCount(end) : String(end),
  );
  return `${from} to ${to}${unit}`;
}

/** "yes or no", "a, b, c"; of a long list the first four. */
export function oneOf(names: readonly string[]): string {
  if (names.length > 12) return `one of ${names.length}: ${names.slice(0, 4).join(", ")}, ...`;
  return names.length === 2 ? names.join(" or ") : names.join(", ");
}
