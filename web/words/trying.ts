import { type Column, columnWidth, type SeriesFeatures } from "#shared/task/features.ts";
import { type Scaled, scale, unscale } from "#shared/task/scaling.ts";
import { rangeWords } from "./data.ts";
import { formatCount, plural } from "./format.ts";

/* The words of the forms that try the model: what a field takes, what is wrong with it, and what it begins with. */

/** The choice for a missing value that is a category of its own. */
export const NOT_KNOWN = "not known";

/** Under a field: what it means, what it takes, and why it is asked for if it is protected. */
export function fieldNote(column: Column): string {
  const { description, why } = column;
  const parts = [
    ...(description === undefined ? [] : [description]),
    ...(column.type === "numeric" ? [takesNumber(column)] : []),
    ...(why === undefined ? [] : [why]),
  ];
  return parts.map((part) => (/[.!?]$/.test(part) || parts.length === 1 ? part : `${part}.`)).join(" ");
}

function takesNumber(column: Extract<Column, { type: "numeric" }>): string {
  return `${rangeWords(column)}${column.missing === undefined ? "" : "; may be left empty"}`;
}

/** Under a field whose value the model cannot take. */
export function fieldError(column: Column): string {
  return column.type === "numeric"
    ? `Give a number, ${takesNumber(column)}.`
    : `Choose one of ${plural(columnWidth(column), "value")}.`;
}

/** What a field begins with: the task's example, else the middle of what the model sees, else the first category. */
export function startValue(column: Column): string {
  if (column.type === "categorical") return column.example ?? column.categories[0] ?? "";
  return String(column.example ?? middleOf(column));
}

/** The number halfway between the ends as they are scaled; short, and whole if the range is wide. */
export function middleOf(scaled: Scaled): number {
  const [low, high] = scaled.range;
  const middle = unscale(scaled, (scale(scaled, low) + scale(scaled, high)) / 2);
  return high - low >= 20 ? Math.round(middle) : Number(middle.toPrecision(3));
}

/** What a series to paste looks like. */
export function seriesNote({ length, channels }: SeriesFeatures): string {
  const names = channels.map((channel) => `${channel.title ?? channel.name}, ${rangeWords(channel)}`);
  return channels.length === 1
    ? `${plural(length, "number")}, one for each step: ${names[0] ?? ""}.`
    : `${plural(length, "line")}, one for each step, with ${plural(channels.length, "number")} each: ${names.join("; ")}.`;
}

/** The pasted numbers are too many or too few. */
export function seriesCountError({ length, channels }: SeriesFeatures, count: number): string {
  const wanted = length * channels.length;
  const steps =
    channels.length === 1 ? "" : `, ${formatCount(channels.length)} for each of ${plural(length, "step")}`;
  return `The series has ${plural(wanted, "number")}${steps}; here ${count === 1 ? "is" : "are"} ${formatCount(count)}.`;
}

/** A series to begin with: each channel rises evenly from low to high. */
export function startSeries({ length, channels }: SeriesFeatures): string {
  return Array.from({ length }, (_, step) =>
    channels
      .map(({ range: [low, high] }) => Number((low + ((high - low) * step) / (length - 1)).toPrecision(3)))
      .join(" "),
  ).join("\n");
}

/** For people who cannot see the line: "Across: from 0 to 100, between 0 and 100 % of the box." */
export function seriesSentence(
  channel: SeriesFeatures["channels"][number],
  values: readonly number[],
): string {
  const unit = channel.unit === undefined ? "" : ` ${channel.unit}`;
  const [first = 0] = values;
  return `${channel.title ?? channel.name}: from ${first} to ${values.at(-1) ?? 0}, between ${Math.min(...values)} and ${Math.max(...values)}${unit}.`;
}
