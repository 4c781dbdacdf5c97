import type { ColumnProfile } from "#shared/sample/column-profiler.ts";
import type { ColumnFields } from "#shared/sample/propose-columns.ts";
import { scale } from "#shared/task/scaling.ts";
import { formatCount, plural } from "./format.ts";
import { middleOf } from "./workshop.ts";

/**
 * What a range and a missing value do to the rows of the sample. Counts come from the numbers that the profile keeps, so
 * they are about right for large samples.
 */
export function rangeNote(fields: ColumnFields, profile: ColumnProfile | null): string | null {
  if (fields.type !== "number" || profile === null) return null;
  const { spread, count } = profile.numbers;
  const [from, to] = [fields.from, fields.to].map((text) => Number(text.replace(",", "."))) as [
    number,
    number,
  ];
  if (spread.length === 0 || !(from < to)) return null;
  const sorted = spread.toSorted();
  const median = sorted[sorted.length >> 1] as number;
  const sentences = [`Half of the known values are below ${Number(median.toPrecision(3))}.`];
  const outside = sorted.filter((value) => value < from || value > to).length;
  if (outside > 0) {
    const rows = Math.round((outside / sorted.length) * count);
    const about = spread.length < count ? "About " : "";
    const words = plural(rows, "row lies", "rows lie");
    sentences.push(`${about}${words} outside ${fields.from} to ${fields.to} and would be left out.`);
  }
  if (fields.missing === "middle" && profile.missing > 0) {
    const middle = Number(middleOf(fields));
    const scaled = placeIn([from, to], fields.scaling);
    const far = Math.abs(scaled(middle) - scaled(median)) > 0.15;
    const better =
      fields.scaling === "log1p"
        ? `On the logarithm it lies at ${scaled(middle).toFixed(2)} of the range, and half of the values below ${scaled(median).toFixed(2)}. Leaving such rows out would be truer.`
        : `From ${fields.from} to ${Number((2 * median - from).toPrecision(2))} would put the middle near ${Number(median.toPrecision(2))}.`;
    sentences.push(
      `${middleOf(fields)} stands for ${plural(profile.missing, "missing value")}.${far && median > from ? ` ${better}` : ""}`,
    );
  }
  return sentences.join(" ");
}

/** Where a value lies between the ends of a range, from 0 to 1, as the model gets it. */
function placeIn(range: [number, number], scaling: ColumnFields["scaling"]): (value: number) => number {
  const isLog = scaling === "log1p" && range[0] > -1;
  return (value) => scale(isLog ? { range, scaling: { kind: "log1p" } } : { range }, value);
}

/** "Of 1,204 rows, 1,200 are taken." */
export function takenWords(taken: number, leftOut: number): string {
  const read = taken + leftOut;
  return leftOut === 0
    ? `All ${formatCount(read)} rows are taken.`
    : `Of ${plural(read, "row")}, ${formatCount(taken)} are taken and ${formatCount(leftOut)} left out.`;
}

/** What numbered columns are taken for, and the way to take them for the other thing. */
export function numberedWords(
  other: "table" | "series",
  [first, last]: readonly [string, string],
): { readonly sentence: string; readonly button: string } {
  return other === "series"
    ? {
        sentence: `Columns ${first} to ${last} are numbered, and each is taken for itself.`,
        button: "They are steps of a series",
      }
    : {
        sentence: `Columns ${first} to ${last} are taken for steps of a series.`,
        button: "Each is a column for itself",
      };
}
