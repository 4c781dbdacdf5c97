import { err, ok, type Result } from "../kernel/result.ts";
import { type Column, columnWidth } from "../task/features.ts";
import { scale } from "../task/scaling.ts";
import type { Target } from "../task/target.ts";
import type { CsvColumn } from "./csv-columns.ts";
import type { RowFault } from "./left-out.ts";
import type { NumberPlace } from "./match/numbers.ts";
import { isMissingWord } from "./match/words-match.ts";
import { quoted, some } from "./words.ts";

/* Turns the cells of a row into numbers for a model. */

type Numeric = Extract<Column, { type: "numeric" }>;
type Categorical = Extract<Column, { type: "categorical" }>;

/**
 * Encodes one row of a table.
 *
 * @param cells    Trimmed text, in the order of `columns`.
 * @param columns  The task's columns, the label last.
 * @param target   The row's place among the inputs; holds zeros, and is undefined after an error.
 * @returns The label: the index of its class, or a number in the label's unit.
 */
export function encodeRow(
  cells: readonly string[],
  columns: readonly CsvColumn[],
  target: Float32Array,
): Result<number, RowFault> {
  let offset = 0;
  let label = Number.NaN;
  for (const [index, column] of columns.entries()) {
    const text = cells[index] ?? "";
    if (column.type === "label") {
      const read = readLabel(text, column.name, column.target);
      if (!read.ok) return read;
      label = read.value;
      continue;
    }
    const encoded = encodeCell(text, column, target, offset);
    if (!encoded.ok) return encoded;
    if (column.input) offset += columnWidth(column);
  }
  return ok(label);
}

/** Encodes a row that has no label, such as one typed into a form. Error: the end of a sentence that starts with the row. */
export function encodeInputs(
  cells: readonly string[],
  columns: readonly Column[],
  target: Float32Array,
): Result<void, string> {
  const encoded = encodeRow(cells, columns, target);
  return encoded.ok ? ok(undefined) : err(encoded.error.sentence);
}

function readLabel(text: string, name: string, target: Target): Result<number, RowFault> {
  if (text === "") {
    const reason = `nothing in ${quoted(name)}, which is what is learnt`;
    return err({ reason, sentence: `has ${reason}` });
  }
  if (target.kind === "number") return numberIn(text, name, target);
  const label = target.classes.indexOf(text);
  if (label >= 0) return ok(label);
  const classes = some(target.classes);
  return err({
    reason: `${quoted(name)} is not one of ${classes}`,
    sentence: `is labelled ${quoted(text)}, which is not one of ${classes}`,
  });
}

/** Checks a cell. Writes it at `offset` if its column is an input of the model. */
function encodeCell(
  text: string,
  column: Column,
  target: Float32Array,
  offset: number,
): Result<void, RowFault> {
  if (column.type === "numeric") {
    const value = numericCell(text, column);
    if (!value.ok) return value;
    if (column.input) target[offset] = scale(column, value.value);
    return ok(undefined);
  }
  const category = categoryOf(text, column);
  if (!category.ok) return category;
  if (column.input) target[offset + category.value] = 1;
  return ok(undefined);
}

function numericCell(text: string, column: Numeric): Result<number, RowFault> {
  const { name, range, missing } = column;
  return missing === "middle" && isMissingWord(text)
    ? ok((range[0] + range[1]) / 2)
    : numberIn(text, name, column);
}

/** The index of a cell's category. A missing value's own category comes after those of the task. */
function categoryOf(text: string, column: Categorical): Result<number, RowFault> {
  const { name, categories, missing, other } = column;
  // First, because a category may be called like a missing value: NA is Namibia.
  const listed = categories.indexOf(text);
  if (listed >= 0) return ok(listed);
  if (missing === "category" && isMissingWord(text)) return ok(categories.length);
  if (text === "") return missingIn(name);
  if (other !== undefined) return ok(categories.indexOf(other));
  const taken = some(categories);
  return err({
    reason: `${quoted(name)} is not one of ${taken}`,
    sentence: `has ${quoted(text)} in the column ${quoted(name)}, which is not one of ${taken}`,
  });
}

function missingIn(name: string): Result<never, RowFault> {
  return err({ reason: `nothing in ${quoted(name)}`, sentence: `has nothing in the column ${quoted(name)}` });
}

function numberIn(text: string, name: string, { range, unit }: NumberPlace): Result<number, RowFault> {
  const [from, to] = range;
  if (text === "") return missingIn(name);
  const value = toNumber(text);
  if (value === null) {
    return err({
      reason: `no number in ${quoted(name)}`,
      sentence: `has ${quoted(text)} in the column ${quoted(name)}, where a number${unit === undefined || unit === "" ? "" : ` in ${unit}`} is wanted`,
    });
  }
  if (value >= from && value <= to) return ok(value);
  return err({
    reason: `${quoted(name)} ${value < from ? `below ${from}` : `above ${to}`}; the task takes ${from} to ${to}`,
    sentence: `has ${text} in the column ${quoted(name)}, where ${from} to ${to} is wanted`,
  });
}

/** A decimal number with a point. `Number` alone would also accept "", "0x1f" and "Infinity". */
function toNumber(text: string): number | null {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
