import type { ImportReport, ReadingView, TableView } from "#client/index.ts";
import type { CsvColumn } from "#shared/data/csv-columns.ts";
import type { ColumnLook } from "#shared/data/read-csv.ts";
import { oneOf, rangeWords } from "./data.ts";
import { formatBytes, formatCount, plural } from "./format.ts";

/* What is said of a table before its rows are added: how its columns were found, what was done, what became of its rows. */

/** Name of a column for people. */
export function columnTitle(column: CsvColumn): string {
  return column.title ?? column.name;
}

/** What it takes, and why it is asked for: "10 to 100 years, may be missing". */
export function wantedWords(column: CsvColumn): string {
  if (column.type === "label") {
    return column.target.kind === "classes" ? oneOf(column.target.classes) : rangeWords(column.target);
  }
  const values = column.type === "numeric" ? rangeWords(column) : oneOf(column.categories);
  const missing = column.missing === undefined ? "" : ", may be missing";
  const unused = column.input ? "" : ". Not learnt from";
  const why = column.why === undefined ? "" : `. ${column.why}`;
  return `${values}${missing}${unused}${why}`;
}

/** True if a person should look at the column before its rows are used. */
export function needsLook({ isSure, place, words, how }: ColumnLook): boolean {
  return !isSure || (place === null && how === "none") || words.some((word) => word.how === "unknown");
}

/** How a column was found: "a similar name; please check". */
export function howWords(column: ColumnLook): string {
  const { how, isSure, doubt, isDecimalOpen, words } = column;
  const found = {
    same: "the same word",
    spelling: "a similar name",
    numbered: "numbered alike",
    similar: "a similar name",
    values: "its values fit",
    chosen: "as you said",
    none: "not in my file",
  }[how];
  const read = words.filter((word) => word.how === "synonym").slice(0, 2);
  const parts = [
    found,
    ...(doubt?.type === "twice" ? ["another column has it too"] : []),
    ...(doubt?.type === "unit" ? [`${doubt.file}, not ${doubt.task}`] : []),
    ...(words.some((word) => word.how === "unknown") ? ["other words inside"] : []),
    ...(read.length > 0 ? [read.map(({ word, means }) => `${word} read as ${means ?? ""}`).join(", ")] : []),
    ...(isDecimalOpen ? ["numbers that can be read in two ways"] : []),
    ...(isSure ? [] : ["please check"]),
  ];
  return parts.join("; ");
}

/** "412 rows read, 398 taken, 14 left out" */
export function accountWords({ rowsRead, rowsTaken, rowsLeftOut }: ImportReport): string {
  return `${plural(rowsRead, "row")} read, ${formatCount(rowsTaken)} taken, ${formatCount(rowsLeftOut)} left out`;
}

/** "rows 14, 77, 120 and 6 more" */
export function rowsWords(rows: readonly number[], count: number): string {
  if (rows.length === 0) return "";
  const shown = rows.slice(0, 5).map(formatCount).join(", ");
  const more = count - Math.min(5, rows.length);
  return `${count === 1 ? "row" : "rows"} ${shown}${more > 0 ? ` and ${formatCount(more)} more` : ""}`;
}

/** The heading over a table that was read. */
export function tableLead({ look, report, refusal }: TableView): string {
  if (look === null) return "This file cannot be read";
  const open = look.columns.filter(needsLook).length;
  if (open === 1) return "One of your columns needs a look";
  if (open > 1) return `${formatCount(open)} of your columns need a look`;
  if (refusal !== null) return "Nothing of this file can be added";
  return report === null || report.rowsLeftOut === 0
    ? "Your file fits"
    : "Your file fits, except for some rows";
}

/** Under the heading, if a person has to look: what was found, and what their look makes usable. Null without a look. */
export function lookSentence({ look, report }: TableView): string | null {
  if (look === null || !look.columns.some(needsLook)) return null;
  const { length } = look.columns;
  const open = look.columns.filter(needsLook).length;
  const found = `${formatCount(length - open)} of ${plural(length, "column")} ${length - open === 1 ? "was" : "were"} found.`;
  if (report === null)
    return `${found} Say which of your columns the ${open === 1 ? "other one is" : "others are"}.`;
  const others = open === 1 ? "the other one is" : "the others are";
  return `${found} Say whether ${others} right, and ${formatCount(report.rowsTaken)} of ${plural(report.rowsRead, "row")} can be used.`;
}

/** In the bar at the bottom of a phone: "398 of 412 rows; 2 columns to check". */
export function barWords({ look, report }: TableView): string {
  const rows =
    report === null
      ? "No row fits yet"
      : `${formatCount(report.rowsTaken)} of ${plural(report.rowsRead, "row")}`;
  const open = look?.columns.filter(needsLook).length ?? 0;
  return open === 0 ? rows : `${rows}; ${plural(open, "column")} to check`;
}

/** The name of the file with a person's choices, for an edge's `--mapping`. */
export const mappingFileName = (task: string): string => `mapping-${task}.json`;

/** "Reading export.csv: 12 of 46 MB." */
export function readingWords({ name, doneCount, totalCount }: ReadingView): string {
  return `Reading ${name}: ${formatBytes(doneCount)} of ${formatBytes(totalCount)}.`;
}
