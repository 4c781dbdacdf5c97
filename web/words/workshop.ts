import { LIMITS } from "#shared/protocol/limits.ts";
import { type LeftOutReason, PROPOSED_CATEGORIES_MAX } from "#shared/sample/column-guess.ts";
import type { ColumnProfile } from "#shared/sample/column-profiler.ts";
import { type Draft, type DraftColumn, fieldsOfColumn, labelOf } from "#shared/sample/draft.ts";
import { categoriesOf } from "#shared/sample/draft-features.ts";
import type { DraftPart, DraftProblem } from "#shared/sample/draft-problem.ts";
import { type ColumnFields, rareValues } from "#shared/sample/propose-columns.ts";
import { FEW_ROWS } from "#shared/sample/range.ts";
import { spelledValues } from "#shared/sample/spellings.ts";
import { countInWords, formatCount, formatPercent, plural } from "./format.ts";

/* Words of the page that makes a task. */

export const PART_TITLES: Readonly<Record<DraftPart, string>> = {
  1: "Sample",
  2: "Columns",
  3: "Model",
  4: "Try it here",
  5: "Rules",
  6: "Held-out data",
  7: "What it is for",
  8: "What participants will see",
};

/** What a part will do, while it is closed. */
export const CLOSED_PARTS: readonly (readonly [part: DraftPart, sentence: string])[] = [
  [2, "Types, ranges and categories are proposed from the sample."],
  [3, "Sizes to choose from, with what each costs in bytes and time."],
  [4, "Trains on the sample in this browser, before anyone is asked."],
  [5, "How many must be in, for how long, and how far one device may pull."],
  [6, "Optional. You can publish without, and add it later."],
  [7, "Purpose, intended use, and what it is not for."],
  [8, "The join page, before it is public."],
];

/** Why a column is left out, as a sentence about its values. */
export function leftOutWords(because: LeftOutReason, column: ColumnProfile | null): string {
  const rows = column === null ? "" : formatCount(column.present);
  const values = column === null ? "" : formatCount(column.distinct.count);
  switch (because) {
    case "empty":
      return "No row has a value.";
    case "unnamed":
      return "It has no name in the header.";
    case "one-value":
      return "All rows have the same value, so it tells nothing.";
    case "one-per-device":
      return "On each device it would be the same value in every row.";
    case "person-numbers":
      return column === null
        ? "It looks like a number given to each person."
        : `${column.distinct.isExact ? "" : "About "}${values} values in ${rows} rows: it looks like a number given to each person.`;
    case "row-numbers":
      return "It counts the rows.";
    case "mail-addresses":
      return "It looks like mail addresses.";
    case "names":
      return "It looks like names of people.";
    case "free-text":
      return `Free text${column === null ? "" : `, ${formatCount(column.charactersMean)} characters on average`}. It may hold names.`;
    case "dates":
      return "Dates can point at a person. A number of days since something would do.";
    case "many-values":
      return `${values === "" ? "Many" : values} different texts. More than ${PROPOSED_CATEGORIES_MAX} are not proposed; up to ${LIMITS.categoriesMax} may be asked for.`;
    case "few-rows":
      return "Fewer than five rows have each value, so that a value could point to someone.";
    case "same-name":
      return "A column before it has this name, and a file’s columns are told apart by their names.";
    case "over-limit":
      return `A task asks for ${formatCount(LIMITS.columnsMax)} columns at most, and those before it are taken.`;
    case "too-large":
      return "Its numbers are too far apart to be scaled.";
  }
}

/** The type of a column's values. */
export function typeWords(fields: ColumnFields, profile: ColumnProfile | null): string {
  if (fields.type === "category") return plural(categoriesOf(fields).length, "category", "categories");
  return profile?.numbers.extremes?.isWhole === true ? "whole number" : "number";
}

/** "10 to 100 years", or the first categories. */
export function valuesWords(fields: ColumnFields): string {
  if (fields.type === "category") {
    const all = categoriesOf(fields);
    return all.length > 6
      ? `${all.slice(0, 5).join(", ")} and ${countInWords(all.length - 5)} more`
      : all.join(", ");
  }
  return `${fields.from} to ${fields.to}${fields.unit === "" ? "" : ` ${fields.unit}`}`;
}

export function missingWords(fields: ColumnFields): string {
  if (fields.missing === "refuse") return "the row is left out";
  if (fields.missing === "category") return "its own category";
  return `middle of the range, ${middleOf(fields)}`;
}

export function middleOf({ from, to }: Pick<ColumnFields, "from" | "to">): string {
  const middle = (Number(from.replace(",", ".")) + Number(to.replace(",", "."))) / 2;
  return Number.isFinite(middle) ? String(Number(middle.toPrecision(6))) : "not known yet";
}

/** "216, 18.0 %", or "none". */
export function shareMissingWords(column: ColumnProfile | null): string {
  if (column === null) return "";
  const { missing, present } = column;
  return missing === 0 ? "none" : `${formatCount(missing)}, ${formatPercent(missing / (missing + present))}`;
}

/** How many of a column's rows this range or list does not take; null if all are taken. */
export function notTakenWords(fields: ColumnFields, profile: ColumnProfile | null): string | null {
  if (profile === null || fields.type !== "number") return null;
  const others = profile.present - profile.numbers.count;
  return others === 0
    ? null
    : `${plural(others, "row says", "rows say")} something that is no number; they are left out.`;
}

/** "“transfer” had only 3 rows and could point to someone, so it was folded into “other”." */
export function foldedWords(
  name: string,
  fields: ColumnFields,
  profile: ColumnProfile | null,
): string | null {
  const isLabel = fields.use === "label";
  if (profile === null || fields.type !== "category" || (!isLabel && fields.other === "")) return null;
  const rare = (rareValues(profile) ?? []).filter(([value]) => !fields.categories.includes(value));
  const [first] = rare;
  if (first === undefined) return null;
  const rows = rare.reduce((sum, [, count]) => sum + count, 0);
  if (isLabel)
    return rare.length === 1
      ? `In ${name}, “${first[0]}” has only ${plural(first[1], "row")} and could point to someone, so rows that say so are left out.`
      : `In ${name}, ${countInWords(rare.length)} classes have fewer than five rows each and could point to someone. Together ${plural(rows, "row")} of them are left out.`;
  return rare.length === 1
    ? `In ${name}, “${first[0]}” has only ${plural(first[1], "row")} and could point to someone, so it is folded into “${fields.other}”.`
    : `In ${name}, ${countInWords(rare.length)} categories have fewer than five rows each and could point to someone. Together ${plural(rows, "row")} of them are folded into “${fields.other}”.`;
}

/** Categories of fewer than five rows that would become public. */
export function rareAndPublic(fields: ColumnFields, profile: ColumnProfile | null): readonly string[] {
  if (profile === null || fields.type !== "category" || fields.use === "left-out") return [];
  const rare = new Set(
    spelledValues(profile.distinct)?.flatMap(({ value, rows, others }) =>
      rows < FEW_ROWS ? [value, ...others] : [],
    ),
  );
  return fields.categories.filter((name) => rare.has(name));
}

/** "In back, “Yes” and “YES” are read as “yes”, as devices read them." Null if no word is written in two ways. */
export function spelledWords(
  name: string,
  fields: ColumnFields,
  profile: ColumnProfile | null,
): string | null {
  if (profile === null || fields.type !== "category" || fields.use === "left-out") return null;
  const merged = (spelledValues(profile.distinct) ?? []).flatMap(({ value, others }) => {
    const read = fields.categories.includes(value)
      ? others.filter((other) => !fields.categories.includes(other))
      : [];
    return read.length === 0
      ? []
      : [`${listedWords(read)} ${read.length === 1 ? "is" : "are"} read as “${value}”`];
  });
  return merged.length === 0
    ? null
    : `In ${name}, ${merged.slice(0, RARE_NAMED).join("; ")}, as devices read them.`;
}

function listedWords(words: readonly string[]): string {
  const quoted = words.slice(0, RARE_NAMED).map((word) => `“${word}”`);
  const more = words.length - quoted.length;
  return more > 0 ? `${quoted.join(", ")} and ${formatCount(more)} more` : quoted.join(" and ");
}

const RARE_NAMED = 4;

/** "In ward, “7b” would be public, and fewer than five rows have it." */
export function rareWords(
  column: string,
  rare: readonly string[],
  { use }: Pick<ColumnFields, "use">,
): string {
  const names = rare.slice(0, RARE_NAMED).map((name) => `“${name}”`);
  const more = rare.length - names.length;
  const list = more === 0 ? names.join(", ") : `${names.join(", ")} and ${formatCount(more)} more`;
  const what = `In ${column}, ${list} would be public, and fewer than five rows have ${rare.length === 1 ? "it" : "each"}.`;
  return use === "label"
    ? `${what} Each class is learnt, so it cannot be folded: if it could point to someone, write another class for those rows into the file, or leave them out.`
    : what;
}

/** "Names, ranges and categories above. Of the sample nothing else: no row, no count, no name of the file." */
export const WHAT_IS_PUBLIC =
  "Names, descriptions, units, ranges and categories above, and the examples. Of the sample nothing else: no row, no count, no name of the file.";

/** The sentence under the heading. */
export function workshopLead(
  draft: Draft | null,
  problems: readonly DraftProblem[],
  version: number,
): string {
  if (draft === null) return "Bring a sample of what people have, and the rest is proposed.";
  const origin =
    draft.sample !== null
      ? `A draft from ${plural(draft.sample.rows, exampleOf(draft).one, exampleOf(draft).many)} of a sample.`
      : !draft.isNext
        ? "A draft without a sample."
        : `A draft of version ${version}, which begins with version ${version - 1}.`;
  const wrong = problems.filter(({ isMissing }) => !isMissing);
  if (wrong.length > 0) {
    const things =
      wrong.length === 1 ? "One thing is wrong" : `${capital(countInWords(wrong.length))} things are wrong`;
    return `${origin} ${things}, with what would work beside it.`;
  }
  const [first] = problems;
  if (first === undefined) return `${origin} Nothing is missing.`;
  return problems.length === 1
    ? `${origin} One thing is missing before you can publish: ${problemName(first, draft)}.`
    : `${origin} ${capital(countInWords(problems.length))} things are missing before you can publish.`;
}

function exampleOf(draft: Draft): { one: string; many: string } {
  return draft.data.kind === "pictures" ? { one: "picture", many: "pictures" } : { one: "row", many: "rows" };
}

/** "table to two classes" */
export function kindWords(draft: Draft): string {
  const from = draft.data.kind;
  const label = labelOf(draft);
  if (from !== "pictures" && label === null) return from;
  const fields = label === null ? null : fieldsOfColumn(label);
  if (fields?.type === "number") return `${from} to a number`;
  const count =
    draft.data.kind === "pictures"
      ? draft.data.classes.length
      : categoriesOf(fields ?? { categories: [], other: "" }).length;
  return `${from} to ${countInWords(count)} ${count === 1 ? "class" : "classes"}`;
}

/** "8 columns asked for, 3 left out" */
export function askedWords(columns: readonly DraftColumn[]): string {
  const left = columns.filter((column) => fieldsOfColumn(column).use === "left-out").length;
  const asked = plural(columns.length - left, "column");
  return left === 0 ? `${asked} asked for` : `${asked} asked for, ${left} left out`;
}

const FIELD_NAMES: Readonly<Record<string, string>> = {
  label: "what is learnt",
  inputs: "an input",
  columns: "the number of columns",
  model: "the model",
  goal: "how many are wanted",
  overSelection: "how many are invited",
  cohortSizeMin: "the least number",
  epochs: "passes",
  batchSize: "the batch",
  learningRate: "the learning rate",
  momentum: "momentum",
  proximalMu: "proximal μ",
  huberDelta: "where Huber turns",
  classWeights: "the weights of classes",
  clipNormL2: "the longest change",
  weightCap: "the most rows that count",
  ring: "the ring",
  strategy: "the strategy",
  localPercent: "the rows kept back",
  logWitnesses: "the witnesses of the log",
  joinS: "the time to join",
  trainS: "the time to train",
  keysS: "the time for keys",
  sendS: "the time to send",
  stage: "trying out or in earnest",
  slug: "the address",
  purpose: "what the model is for",
  noun: "what a row is",
  intendedUse: "the intended use",
  notFor: "what the model is not for",
  contact: "who answers questions",
  task: "the task",
  sample: "the sample",
};

/** A name of what is missing or wrong, for a list of links. */
export function problemName({ field }: DraftProblem, draft: Draft): string {
  const [, at, name] = /^column\.(\d+)\.(\w+)$/.exec(field) ?? [];
  if (at !== undefined) {
    const column = draft.columns[Number(at)]?.name ?? "a column";
    return name === "why" ? `why ${column} is asked for` : `${column}`;
  }
  return FIELD_NAMES[field] ?? PART_TITLES[2].toLowerCase();
}

export interface DockWords {
  /** In bold. */
  readonly start: string;
  /** Up to seven, each a link to a part and an input. */
  readonly links: readonly { readonly words: string; readonly part: DraftPart; readonly field: string }[];
  readonly end: string;
}

const LINKS_MAX = 7;

export function dockWords(draft: Draft | null, problems: readonly DraftProblem[]): DockWords {
  if (draft === null)
    return {
      start: "Nothing to publish yet.",
      links: [],
      end: " Start with a sample, a template or a task.",
    };
  if (problems.length === 0) {
    return {
      start: "Nothing is missing.",
      links: [],
      end: " Publishing makes names, ranges and categories public, for good.",
    };
  }
  const links = problems.slice(0, LINKS_MAX).map((problem) => ({
    words: problemName(problem, draft),
    part: problem.part,
    field: problem.field,
  }));
  const others = problems.length - links.length;
  const count = capital(countInWords(problems.length));
  const wrong = problems.some(({ isMissing }) => !isMissing);
  const are = problems.length === 1 ? "thing is" : "things are";
  return {
    start: `${count} ${are} ${wrong ? "in the way" : "missing"}:`,
    links,
    end: others > 0 ? ` and ${plural(others, "more", "more")}.` : ".",
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
