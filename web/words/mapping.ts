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

/** "Reading export.csv: 12 of 46 MB." */
export function readingWords({ name, doneCount, totalCount }: ReadingView): string {
  return `Reading ${name}: ${formatBytes(doneCount)} of ${formatBytes(totalCount)}.`;
}

/** Why a call about a file failed, with what to do. */
export function fileFailure(fault: unknown): string {
  const name = fault instanceof Error ? fault.name : "";
  if (name === "NotReadableError" || name === "NotFoundError")
    return "The file was changed or moved after you chose it, so the browser does not read it any more. Choose it again. Nothing was added.";
  if (name === "QuotaExceededError")
    return "This browser has no more room for these rows. Nothing was added. Free some space, or use a part of the file.";
  const reason = fault instanceof Error ? fault.message : String(fault);
  return `This did not work (${reason.slice(0, 120)}). Nothing was added. Try again, or reload the page.`;
}
