import type { ColumnProfile } from "./column-profiler.ts";
import { type HeaderHint, hintsOf } from "./header-words.ts";
import { FEW_ROWS } from "./range.ts";
import { spelledValues } from "./spellings.ts";

/** Why a column is proposed to be left out. */
export type LeftOutReason =
  /** No row has a value. */
  | "empty"
  /** The header has no name. */
  | "unnamed"
  /** All rows have the same value. */
  | "one-value"
  /** One value for a whole place, so that all rows of a device would have the same. */
  | "one-per-device"
  /** Numbers or codes that each belong to one person. */
  | "person-numbers"
  /** Counts the rows. */
  | "row-numbers"
  | "mail-addresses"
  | "names"
  | "free-text"
  | "dates"
  /** Text with more values than a list of categories can have. */
  | "many-values"
  /** Numbers whose range does not fit a double. */
  | "too-large"
  /** Fewer than five rows have each value, so that no two categories could be named. */
  | "few-rows"
  /** A column before it has the same name. */
  | "same-name"
  /** A task takes no more columns than those before it. */
  | "over-limit";

export type ColumnGuess =
  | { readonly type: "number" }
  | { readonly type: "category" }
  | { readonly type: "left-out"; readonly because: LeftOutReason };

/** Text with more values is not proposed as categories. */
export const PROPOSED_CATEGORIES_MAX = 50;
/** Fewer rows say nothing about whether each value belongs to one row. */
const TELLING_ROWS = 20;

/**
 * What a column of the sample is, from its values and its header. A column with doubtful values is left out, because what a
 * task says becomes public and what it asks for has to be brought by people; the person may ask for it anyway.
 */
export function guessColumn(column: ColumnProfile): ColumnGuess {
  const { name, present, distinct, forms, numbers } = column;
  if (present === 0) return leftOut("empty");
  if (name.trim() === "") return leftOut(isRowCount(column) ? "row-numbers" : "unnamed");
  const hints = hintsOf(name);
  const share = (rows: number) => rows / present;
  if (share(forms.mail) >= 0.5 || (hints.has("mail") && forms.mail > 0)) return leftOut("mail-addresses");
  if (distinct.count === 1 && present >= FEW_ROWS) return leftOut("one-value");
  if (share(forms.date) >= 0.8) return leftOut("dates");
  const about = aboutOnePerson(column, hints);
  if (about !== null) return leftOut(about);
  if (share(numbers.count) >= 0.9) return guessNumber(column);
  if (hints.has("place")) return leftOut("one-per-device");
  if (distinct.count > PROPOSED_CATEGORIES_MAX) return leftOut("many-values");
  const words = spelledValues(distinct) ?? [];
  const frequent = words.filter(({ rows }) => rows >= FEW_ROWS).length;
  // The others would be one category together.
  return frequent + Number(frequent < words.length) < 2 ? leftOut("few-rows") : { type: "category" };
}

function guessNumber({ numbers, distinct }: ColumnProfile): ColumnGuess {
  const { extremes } = numbers;
  if (extremes === null || !Number.isFinite(extremes.greatest - extremes.least)) return leftOut("too-large");
  // Two numbers are the two answers to a question.
  return { type: distinct.isExact && distinct.count <= 2 ? "category" : "number" };
}

/** The reason if the values of a column each belong to one person or row. */
function aboutOnePerson(column: ColumnProfile, hints: ReadonlySet<HeaderHint>): LeftOutReason | null {
  const { present, distinct, forms, numbers, charactersMean } = column;
  const perRow = distinct.count / present;
  const isMany = distinct.count >= FEW_ROWS;
  // Decimals are measured, whatever the header says.
  const isCode = numbers.extremes === null || numbers.extremes.isWhole;
  const isNumberOf = hints.has("person") || hints.has("number-of");
  if (isCode && isMany && perRow >= 0.5 && forms.longNumber >= 0.9 * present) {
    if (isNumberOf || numbers.count < 0.9 * present) return "person-numbers";
  }
  if (isCode && perRow >= 0.9 && present >= TELLING_ROWS) {
    if (isRowCount(column)) return "row-numbers";
    if (isNumberOf) return "person-numbers";
  }
  if (isMany && perRow >= 0.5) {
    if (forms.name >= 0.6 * present || (hints.has("name") && numbers.count === 0)) return "names";
    if (forms.sentence >= 0.5 * present || (charactersMean > 40 && numbers.count === 0)) return "free-text";
    if (present >= TELLING_ROWS && perRow >= 0.9 && numbers.count < 0.5 * present) return "person-numbers";
  }
  return null;
}

/** Whole numbers that are all different and leave no gaps. */
function isRowCount({ numbers, present, distinct }: ColumnProfile): boolean {
  const { extremes } = numbers;
  if (extremes === null || !extremes.isWhole || numbers.count < present) return false;
  return distinct.count >= 0.9 * present && extremes.greatest - extremes.least + 1 <= 1.1 * present;
}

function leftOut(because: LeftOutReason): ColumnGuess {
  return { type: "left-out", because };
}
