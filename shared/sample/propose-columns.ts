import { LIMITS } from "../protocol/limits.ts";
import {
  type ColumnGuess,
  guessColumn,
  type LeftOutReason,
  PROPOSED_CATEGORIES_MAX,
} from "./column-guess.ts";
import type { NumbersProfile } from "./column-numbers.ts";
import type { ColumnProfile } from "./column-profiler.ts";
import { hintsOf, titleOf } from "./header-words.ts";
import { type Extremes, FEW_ROWS, roundedOutward } from "./range.ts";
import { spelledValues } from "./spellings.ts";
import type { TableProfile } from "./table-profiler.ts";

/** What a draft says about a column. Numbers are texts, as they are typed. */
export interface ColumnFields {
  /** input: the model learns from it. asked: people bring it, but the model never sees it. label: what is learnt. */
  readonly use: "input" | "asked" | "label" | "left-out";
  readonly protected: boolean;
  readonly type: "number" | "category";
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  /** Why a protected column is asked for. */
  readonly why: string;
  readonly from: string;
  readonly to: string;
  readonly scaling: "range" | "standard" | "log1p";
  readonly mean: string;
  readonly deviation: string;
  readonly categories: readonly string[];
  /** The category that takes every value not listed; empty if there is none. */
  readonly other: string;
  readonly missing: "refuse" | "middle" | "category";
  /** A sensible example for the form that tries the model. */
  readonly example: string;
}

/** Of a column of which nothing was said. */
export const EMPTY_FIELDS: ColumnFields = {
  use: "input",
  protected: false,
  type: "number",
  title: "",
  description: "",
  unit: "",
  why: "",
  from: "",
  to: "",
  scaling: "range",
  mean: "",
  deviation: "",
  categories: [],
  other: "",
  missing: "refuse",
  example: "",
};

/** Ranges of a column whose numbers can be read in two ways, with nothing that tells which (F6). */
export interface TwoWays {
  /** How 1234 is written if it is one thousand two hundred and thirty-four, and if it is a little more than one. */
  readonly written: "1,234" | "1.234";
  readonly asThousands: Pick<ColumnFields, "from" | "to">;
  readonly asDecimals: Pick<ColumnFields, "from" | "to">;
}

export interface ProposedColumn {
  readonly name: string;
  readonly fields: ColumnFields;
  readonly leftOutBecause: LeftOutReason | null;
  /** Null unless a person has to say how its numbers are meant. */
  readonly twoWays: TwoWays | null;
}

/** A class for each different value, up to so many. A label with more numbers is a number. */
const PROPOSED_CLASSES_MAX = 20;
const OTHER = "other";
const NO = /^(?:no|false|never|none|absent|negative)$/i;

/** Proposes what a task could ask for, and which column is learnt. */
export function proposeColumns(profile: TableProfile): ProposedColumn[] {
  const names = new Set<string>();
  const guesses = profile.columns.map((column): ColumnGuess => {
    if (column.name !== "" && names.has(column.name)) return { type: "left-out", because: "same-name" };
    names.add(column.name);
    return guessColumn(column);
  });
  const label = labelAt(profile.columns, guesses);
  let asked = 0;
  return profile.columns.map((column, at) => {
    const guess = guesses[at] as ColumnGuess;
    const fields = fieldsOf(column, guess, at === label);
    const proposed: ProposedColumn = {
      name: column.name,
      fields,
      leftOutBecause: guess.type === "left-out" ? guess.because : null,
      twoWays: twoWaysOf(column),
    };
    if (fields.use === "label" || fields.use === "left-out") return proposed;
    asked += 1;
    return asked <= LIMITS.columnsMax
      ? proposed
      : { ...proposed, fields: { ...fields, use: "left-out" }, leftOutBecause: "over-limit" };
  });
}

/** The column that is learnt: named like one, else the last category, else the last number; -1 if there is none. */
function labelAt(columns: readonly ColumnProfile[], guesses: readonly ColumnGuess[]): number {
  const isNamed = (at: number) => hintsOf((columns[at] as ColumnProfile).name).has("label");
  const fits = (at: number) => {
    const guess = guesses[at] as ColumnGuess;
    if (guess.type === "left-out") return guess.because === "few-rows" && isNamed(at);
    const { distinct } = columns[at] as ColumnProfile;
    // Letters and the like are learnt if they are called so.
    const most = isNamed(at) ? PROPOSED_CATEGORIES_MAX : PROPOSED_CLASSES_MAX;
    return guess.type === "number" || distinct.count <= most;
  };
  const candidates = columns.map((_, at) => at).filter(fits);
  const named = candidates.findLast(isNamed);
  const category = candidates.findLast((at) => (guesses[at] as ColumnGuess).type === "category");
  const last = candidates.at(-1);
  // The last column is the label in most files, unless it is a protected attribute.
  const isOrdinary = last !== undefined && !hintsOf((columns[last] as ColumnProfile).name).has("protected");
  return named ?? (isOrdinary ? last : (category ?? last)) ?? -1;
}

/** The fields of a column as if it were asked for, even if it is left out: the person may ask for it anyway. */
function fieldsOf(column: ColumnProfile, guess: ColumnGuess, isLabel: boolean): ColumnFields {
  const isProtected = !isLabel && hintsOf(column.name).has("protected");
  const type = typeOf(column, guess, isLabel);
  const { title, unit } = unitOf(column);
  const use = isLabel ? "label" : guess.type === "left-out" ? "left-out" : isProtected ? "asked" : "input";
  return {
    use,
    protected: isProtected,
    type,
    title,
    description: "",
    unit: type === "number" ? unit : "",
    why: "",
    scaling: "range",
    mean: "",
    deviation: "",
    missing: isLabel || column.missing === 0 ? "refuse" : type === "number" ? "middle" : "category",
    ...rangeFields(column, type),
    ...categoryFields(column, type, isLabel),
    example: type === "number" ? exampleNumber(column) : (mostFrequent(column)[0] ?? ""),
  };
}

function typeOf(column: ColumnProfile, guess: ColumnGuess, isLabel: boolean): ColumnFields["type"] {
  const isMostlyNumbers = column.numbers.count >= 0.9 * column.present && column.numbers.count > 0;
  if (guess.type === "left-out") return isMostlyNumbers ? "number" : "category";
  if (guess.type === "category" || !isLabel) return guess.type;
  const { isExact, count } = column.distinct;
  const isClasses = isExact && count <= PROPOSED_CLASSES_MAX && column.numbers.extremes?.isWhole === true;
  return isClasses ? "category" : "number";
}

/** The unit that the header names, or per cent if most of the numbers are written so. */
function unitOf({ name, numbers }: ColumnProfile): ReturnType<typeof titleOf> {
  const { title, unit } = titleOf(name);
  return { title, unit: unit === "" && isPercent(numbers) ? "%" : unit };
}

function isPercent({ percents, count }: NumbersProfile): boolean {
  return count > 0 && 2 * percents > count;
}

function rangeFields(
  { numbers }: ColumnProfile,
  type: ColumnFields["type"],
): Pick<ColumnFields, "from" | "to"> {
  return type === "category" ? NO_RANGE : rangeOf(numbers.extremes, isPercent(numbers));
}

const NO_RANGE = { from: "", to: "" } as const;

function rangeOf(extremes: Extremes | null, isPerCent: boolean): Pick<ColumnFields, "from" | "to"> {
  if (extremes === null || !Number.isFinite(extremes.greatest - extremes.least)) return NO_RANGE;
  const [from, to] = roundedOutward(extremes);
  // Of a range that ends at 1 or below, devices take 0.5 % for 0.005.
  return { from: String(from), to: String(isPerCent && to <= 1 ? 100 : to) };
}

function twoWaysOf({ numbers }: ColumnProfile): TwoWays | null {
  const { mark, extremes, otherExtremes, hasComma } = numbers;
  if (otherExtremes === null) return null;
  const [chosen, other] = [rangeOf(extremes, false), rangeOf(otherExtremes, false)];
  const written = hasComma ? "1,234" : "1.234";
  const isDecimal = (mark === "comma") === hasComma;
  return isDecimal
    ? { written, asThousands: other, asDecimals: chosen }
    : { written, asThousands: chosen, asDecimals: other };
}

/** Categories that are proposed for the values of a column. */
export function categoryFields(
  column: ColumnProfile,
  type: ColumnFields["type"],
  isLabel: boolean,
): Pick<ColumnFields, "categories" | "other"> {
  if (type === "number") return { categories: [], other: "" };
  const values = spelledValues(column.distinct) ?? [];
  const frequent = values.filter(({ rows }) => rows >= FEW_ROWS).map(({ value }) => value);
  // Rows of a rare class are left out: a class that stands for several teaches nothing about any.
  if (isLabel) return { categories: inOrder(frequent), other: "" };
  const isFolded = frequent.length < values.length;
  const own = frequent.find((value) => value.toLowerCase() === OTHER);
  const other = isFolded ? (own ?? OTHER) : "";
  return { categories: inOrder(frequent.filter((value) => value !== other)), other };
}

/** The values that fewer than FEW_ROWS rows have, which are proposed to be folded, or of a label to be left out. Null if there are too many to know. */
export function rareValues({ distinct }: ColumnProfile): readonly (readonly [string, number])[] | null {
  const rare = spelledValues(distinct)?.filter(({ rows }) => rows < FEW_ROWS);
  return rare?.map(({ value, rows }) => [value, rows] as const) ?? null;
}

/** Numbers by size; no before everything else, as in most tables of answers; the rest by letters. */
function inOrder(values: readonly string[]): string[] {
  // Among more than two values an n is a letter.
  const no = values.length === 2 ? /^(?:no|n|false|never|none|absent|negative)$/i : NO;
  const rank = (value: string) => (no.test(value) ? 0 : 1);
  const areNumbers = values.every((value) => Number.isFinite(Number(value.replace(",", "."))));
  return [...values].sort((a, b) =>
    areNumbers
      ? Number(a.replace(",", ".")) - Number(b.replace(",", "."))
      : rank(a) - rank(b) || a.localeCompare(b, "en"),
  );
}

function mostFrequent({ distinct }: ColumnProfile): string[] {
  const frequent = spelledValues(distinct)?.filter(({ rows }) => rows >= FEW_ROWS) ?? [];
  return frequent.toSorted((a, b) => b.rows - a.rows).map(({ value }) => value);
}

/** The median, rounded to two digits, so that it is no row's own number. */
function exampleNumber({ numbers }: ColumnProfile): string {
  const sorted = numbers.spread.toSorted();
  const median = sorted[sorted.length >> 1];
  if (median === undefined) return "";
  const rounded = Number(median.toPrecision(2));
  return String(numbers.extremes?.isWhole === true ? Math.round(rounded) : rounded);
}
