import type { Features } from "../../task/features.ts";
import { type CsvColumn, csvColumns } from "../csv-columns.ts";
import { likeness, nameKey, remarkOf } from "../table/names.ts";
import type { ColumnMapping, Mapping } from "./mapping.ts";
import { DecimalEvidence, type NumberPlace, plainNumber } from "./numbers.ts";
import { isSameUnit } from "./units.ts";
import { isMissingWord, matchWord } from "./words-match.ts";

/*
 * Finds the task's columns in a file's header: by the same name, by another spelling, by a similar name, by the values.
 * Each column of the file is used once. What only resembles needs a person's look.
 */

/** How a column was found. `numbered`: one of many, such as pixel7 for p7. */
export type HowFound = "same" | "spelling" | "numbered" | "similar" | "values" | "chosen" | "none";

/** Why a person should say whether a column is the right one. */
export type Doubt =
  /** Columns at these indices of the header have the name. */
  | { readonly type: "twice"; readonly places: readonly number[] }
  /** The name is the task's, and the unit in its parentheses is not. */
  | { readonly type: "unit"; readonly file: string; readonly task: string }
  /** Its name or its values only resemble. */
  | { readonly type: "resembles" };

export interface ColumnMatch {
  readonly column: CsvColumn;
  /** Index in the header; null if the file does not have it. */
  readonly place: number | null;
  readonly how: HowFound;
  /** Null if it is used without asking. */
  readonly doubt: Doubt | null;
  /** What was said about its numbers and words. */
  readonly said: ColumnMapping | null;
}

/** Above this width only names are compared: values and similar names are for tables that people read. */
const LOOKED_AT_MAX = 500;
const SIMILAR = 0.45;
const VALUES_FIT = 0.9;

/**
 * @param header   Names, trimmed; an empty one has no name.
 * @param sample   Rows, trimmed.
 * @param mapping  What a person said; it goes before everything that follows from names.
 * @returns One match for each of the task's columns, in their order, the label last. Takes time in proportion to the header.
 */
export function proposeMapping(
  header: readonly string[],
  sample: readonly (readonly string[])[],
  features: Features,
  mapping: Mapping | null = null,
): ColumnMatch[] {
  const columns = csvColumns(features);
  const matches = new Map<CsvColumn, ColumnMatch>();
  const used = new Set<number>();
  const take = (
    column: CsvColumn,
    place: number | null,
    how: HowFound,
    doubt: Doubt | null = null,
    said: ColumnMapping | null = null,
  ) => {
    matches.set(column, { column, place, how, doubt, said });
    if (place !== null) used.add(place);
  };
  const byName = placesBy(header, (name) => name);
  const said = new Map(mapping?.columns.map((one) => [one.column, one]));
  for (const column of columns) {
    const saying = said.get(column.name);
    if (saying === undefined) continue;
    const place = saying.from === null ? null : placeSaid(saying, byName);
    if (place === undefined) continue;
    take(column, place, place === null ? "none" : "chosen", null, saying);
  }
  const open = () => columns.filter((column) => !matches.has(column));
  const find = (
    places: ReadonlyMap<string, readonly number[]>,
    key: (column: CsvColumn) => readonly string[],
    how: HowFound,
  ) => {
    for (const column of open()) {
      const found = [...new Set(key(column).flatMap((one) => places.get(one) ?? []))].filter(
        (at) => !used.has(at),
      );
      const ofUnit = found.filter((at) => unitDoubt(column, header[at] ?? "") === null);
      const [place, ...more] = ofUnit.length > 0 ? ofUnit : found;
      if (place === undefined) continue;
      // Two columns of one name: the first, unless a person says otherwise.
      const doubt: Doubt | null =
        more.length > 0
          ? { type: "twice", places: [place, ...more] }
          : unitDoubt(column, header[place] ?? "");
      take(column, place, how, doubt);
    }
  };
  // What a person said about a step goes before numbers.
  if (features.kind === "series" && matches.size === 0) findSteps(features, columns, header, take);
  find(byName, ({ name }) => [name], "same");
  if (open().length > 0) {
    const byKey = placesBy(header, nameKey);
    find(byKey, (column) => namesOf(column).map(nameKey), "spelling");
    if (features.kind !== "tabular") findNumbered(open(), byKey, used, take);
    if (features.kind === "image")
      find(byKey, (column) => (column.type === "label" ? LABEL_NAMES : []), "similar");
  }
  if (header.length <= LOOKED_AT_MAX && open().length <= LOOKED_AT_MAX) {
    const values = valuesByColumn(header.length, sample);
    findSimilar(open(), header, values, used, take);
    findByValues(open(), header, values, used, take);
  }
  for (const column of open()) take(column, null, "none");
  return columns.map((column) => matches.get(column) as ColumnMatch);
}

type Take = (column: CsvColumn, place: number, how: HowFound, doubt?: Doubt) => void;

const LABEL_NAMES = ["class", "target", "y", "digit"];

function placesBy(header: readonly string[], key: (name: string) => string): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [at, name] of header.entries()) {
    if (name === "") continue;
    const one = key(name);
    const known = places.get(one);
    if (known === undefined) places.set(one, [at]);
    else known.push(at);
  }
  return places;
}

/** Undefined if the file has no such column: what was said is about another file. */
function placeSaid(
  { from, place }: ColumnMapping,
  byName: ReadonlyMap<string, readonly number[]>,
): number | undefined {
  const places = byName.get(from ?? "") ?? [];
  return place === undefined ? places[0] : places.find((at) => at === place - 1);
}

/** The names by which people may know it. */
function namesOf(column: CsvColumn): string[] {
  return "title" in column && column.title !== undefined ? [column.name, column.title] : [column.name];
}

/** Not null if the file and the task both name a unit, and not the same. A column of words has remarks, not units. */
function unitDoubt(column: CsvColumn, header: string): Doubt | null {
  const numbers = numberPlaceOf(column);
  if (numbers === null) return null;
  const file = remarkOf(header);
  const task = remarkOf(column.name) ?? numbers.unit ?? null;
  if (file === null || task === null || task === "" || isSameUnit(file, task)) return null;
  return { type: "unit", file, task };
}

/** Digits of a step with leading zeros; 0 without them. */
const STEP_WIDTHS = [0, 2, 3, 4, 5];

/**
 * Steps of a series that are numbered from 1, or with leading zeros: t1 of such a file is the task's t0. All channels are
 * numbered alike, and nothing is taken if one step is not there, because each step would then be another one.
 */
function findSteps(
  { length, channels }: Extract<Features, { kind: "series" }>,
  columns: readonly CsvColumn[],
  header: readonly string[],
  take: Take,
): void {
  const names = new Set(header);
  const steps = columns.slice(0, length * channels.length);
  if (steps.every(({ name }) => names.has(name))) return;
  const byKey = placesBy(header, nameKey);
  for (const first of [0, 1]) {
    for (const width of STEP_WIDTHS) {
      const placesOf = (at: number) => {
        const channel = channels[at % channels.length]?.name ?? "";
        const step = Math.floor(at / channels.length) + first;
        return byKey.get(nameKey(`${channel}${String(step).padStart(width, "0")}`)) ?? [];
      };
      if (!steps.every((_, at) => placesOf(at).length === 1)) continue;
      for (const [at, column] of steps.entries()) take(column, placesOf(at)[0] as number, "numbered");
      return;
    }
  }
}

/** p0, p1, ... under another name, from 0 or from 1: pixel0, px_1, 1x1 is not among them. */
function findNumbered(
  columns: readonly CsvColumn[],
  byKey: ReadonlyMap<string, readonly number[]>,
  used: ReadonlySet<number>,
  take: Take,
): void {
  const numbered = columns.filter(({ type, name }) => type !== "label" && /^p\d+$/.test(name));
  for (const prefix of ["pixel", "px", "p", "x", "feature", "f", ""]) {
    for (const [first, width] of [0, 1].flatMap((one) =>
      STEP_WIDTHS.map((digits) => [one, digits] as const),
    )) {
      const places = numbered.map(({ name }) => {
        const index = Number(name.slice(1)) + first;
        return byKey.get(`${prefix}${String(index).padStart(width, "0")}`) ?? [];
      });
      if (
        places.length === 0 ||
        !places.every(([at, more]) => at !== undefined && more === undefined && !used.has(at))
      )
        continue;
      for (const [index, column] of numbered.entries())
        take(column, places[index]?.[0] as number, "numbered");
      return;
    }
  }
}

interface ColumnValues {
  readonly values: readonly string[];
}

function valuesByColumn(width: number, sample: readonly (readonly string[])[]): ColumnValues[] {
  return Array.from({ length: width }, (_, at) => ({
    values: sample.map((row) => row[at] ?? "").filter((value) => !isMissingWord(value)),
  }));
}

/** Pairs of similar names, the most similar first. */
function findSimilar(
  columns: readonly CsvColumn[],
  header: readonly string[],
  values: readonly ColumnValues[],
  used: ReadonlySet<number>,
  take: Take,
): void {
  const pairs = columns.flatMap((column) =>
    header.flatMap((name, place) => {
      if (name === "" || used.has(place)) return [];
      const alike = Math.max(...namesOf(column).map((one) => likeness(one, name)));
      const fit = fitOf(column, values[place]?.values ?? []);
      // A similar name with quite other values is another thing.
      return alike < SIMILAR || (fit === 0 && column.type !== "categorical")
        ? []
        : [{ column, place, alike, fit }];
    }),
  );
  pairs.sort((left, right) => right.alike + right.fit / 2 - (left.alike + left.fit / 2));
  const done = new Set<CsvColumn>();
  for (const { column, place } of pairs) {
    if (done.has(column) || used.has(place)) continue;
    done.add(column);
    take(column, place, "similar", { type: "resembles" });
  }
}

/** A column whose values fit one open column of the task, and that alone fits it. */
function findByValues(
  columns: readonly CsvColumn[],
  header: readonly string[],
  values: readonly ColumnValues[],
  used: ReadonlySet<number>,
  take: Take,
): void {
  const fitting = columns.map((column) => ({
    column,
    places: header.flatMap((name, place) =>
      // A name that is a value itself names nothing: the file has no header.
      !used.has(place) && !isValueOf(column, name) && fitOf(column, values[place]?.values ?? []) >= VALUES_FIT
        ? [place]
        : [],
    ),
  }));
  for (const { column, places } of fitting) {
    const [place] = places;
    if (place === undefined || places.length > 1) continue;
    if (fitting.some((other) => other.column !== column && other.places.includes(place))) continue;
    take(column, place, "values", { type: "resembles" });
  }
}

/** True if the column would take this text, or if it is empty. */
function isValueOf(column: CsvColumn, text: string): boolean {
  return text === "" || fitOf(column, [text]) === 1;
}

/** True if the first line of a file seems to hold values of the task rather than names. */
export function looksLikeRow(header: readonly string[], columns: readonly CsvColumn[]): boolean {
  const cells = header.slice(0, LOOKED_AT_MAX);
  const asked = columns.slice(-LOOKED_AT_MAX);
  const values = cells.filter((cell) => asked.some((column) => isValueOf(column, cell)));
  return values.length * 2 >= cells.length;
}

/** Share of the values that the column would take. */
function fitOf(column: CsvColumn, values: readonly string[]): number {
  if (values.length === 0) return 0;
  const place = numberPlaceOf(column);
  const categories = categoriesOf(column);
  const mark = place === null ? "point" : decimalOf(place, values);
  const fits = (value: string) => {
    if (place === null) return matchWord(value, categories) !== null;
    const number = plainNumber(value, mark, place);
    return number !== null && Number(number.text) >= place.range[0] && Number(number.text) <= place.range[1];
  };
  return values.filter(fits).length / values.length;
}

function decimalOf(place: NumberPlace, values: readonly string[]) {
  const evidence = new DecimalEvidence(place);
  for (const value of values) evidence.see(value);
  return evidence.mark ?? evidence.usual;
}

/** Range and unit of a column of numbers; null if it holds words. */
export function numberPlaceOf(column: CsvColumn): NumberPlace | null {
  if (column.type === "numeric") return column;
  return column.type === "label" && column.target.kind === "number" ? column.target : null;
}

/** The words that a column takes; none if it holds numbers. */
export function categoriesOf(column: CsvColumn): readonly string[] {
  if (column.type === "categorical") return column.categories;
  return column.type === "label" && column.target.kind === "classes" ? column.target.classes : [];
}
