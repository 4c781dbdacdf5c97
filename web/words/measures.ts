import { sideOf } from "#shared/stats/compare.ts";
import type { Measure, Measures } from "#shared/stats/measure.ts";
import { headlineOf, type ListedMeasure, type MeasureSpec } from "#shared/task/measures/index.ts";
import type { Target } from "#shared/task/target.ts";
import { formatDecimal, formatFigure, formatMeasure, formatPercent, formatPoints } from "./format.ts";

/* The pages' words for a model's measures. Pure. */

/** "0.681 ± 0.008"; null before the model is evaluated. */
export function headlineFigure(measures: Measures | null): string | null {
  const headline = headlineOf(measures);
  return headline === null ? null : formatMeasure(headline.measure);
}

/** Under a figure that stands alone: "accuracy ± 0.008", "mean error ± 0.05 dollars". */
export function figureWords({ spec, measure }: ListedMeasure): string {
  const halfWidth =
    measure.unit === undefined
      ? formatDecimal(measure.halfWidth95)
      : `${formatFigure(measure.halfWidth95, measure.value)}\u00a0${measure.unit}`;
  return `${lowerFirst(spec.label)} ± ${halfWidth}`;
}

/** In a column of several tasks' figures: "accuracy 0.681 ± 0.008"; "none" before the model is evaluated. */
export function figureCell(measures: Measures | null): string {
  const headline = headlineOf(measures);
  if (headline === null) return "none";
  return `${lowerFirst(headline.spec.label)} ${formatMeasure(headline.measure)}`;
}

/**
 * Completes "version 3 ...": "is right for 68.1 % of drawings it has never seen". Null before the model is evaluated.
 */
export function headlineWords(measures: Measures | null, many: string): string | null {
  const headline = headlineOf(measures);
  return headline === null ? null : measureWords(headline, many);
}

function measureWords({ spec, measure }: ListedMeasure, many: string): string {
  const { unit, sentence } = spec;
  const { value, halfWidth95 } = measure;
  if (sentence === undefined)
    return `has ${inText(spec)} ${formatMeasure(measure)}${unitWord(unit)} on ${many} it has never seen`;
  return sentence({ ...figuresOf(unit, { ...measure, value, halfWidth95 }), many });
}

/** Value and half width with their units. */
function figuresOf(
  unit: MeasureSpec["unit"],
  { value, halfWidth95, unit: own = "" }: Measure,
): { readonly value: string; readonly halfWidth: string } {
  switch (unit) {
    case "share":
      return { value: formatPercent(value), halfWidth: formatPoints(halfWidth95) };
    case "label":
      return {
        value: `${formatFigure(value)}\u00a0${own}`,
        halfWidth: formatFigure(halfWidth95, value),
      };
    default:
      return {
        value: `${formatDecimal(value)}${unitWord(unit)}`,
        halfWidth: `${formatDecimal(halfWidth95)}${unitWord(unit)}`,
      };
  }
}

/** Title of a chart's axis: "accuracy", "loss, nats", "dollars an hour". @param measure  One of the chart's; may be missing. */
export function axisTitle(spec: MeasureSpec, measure?: Measure): string {
  if (spec.unit === "label") return measure?.unit ?? inText(spec);
  return spec.unit === "nats" ? `${inText(spec)}, nats` : inText(spec);
}

/** A value on a measure's axis or line, without its interval. */
export function formatValue(value: number, unit: MeasureSpec["unit"]): string {
  return unit === "label" ? formatFigure(value) : formatDecimal(value);
}

/** The note under a chart. @param rows  "359 held-out drawings". */
export function chartNote(spec: Pick<MeasureSpec, "note" | "onDevices">, rows: string): string {
  const rings =
    spec.onDevices === undefined ? "" : " Rings: on the devices' own held-back rows, from the sums.";
  return `${spec.note(rows)} Band: 95 % interval.${rings}`;
}

export type Comparison = "better" | "worse" | "too close to tell";

/** The headline of a model beside another's; null if one of them has none, or if they are of different kinds. */
export function compareHeadlines(now: Measures, before: Measures): Comparison | null {
  const [newer, older] = [headlineOf(now), headlineOf(before)];
  if (newer === null || older === null || newer.spec !== older.spec) return null;
  const side = sideOf(newer.measure, older.measure);
  if (side === null) return "too close to tell";
  return side === newer.spec.better ? "better" : "worse";
}

const inText = ({ name, inText: words = name }: MeasureSpec): string => words;
const unitWord = (unit: MeasureSpec["unit"]): string => (unit === "nats" ? "\u00a0nats" : "");
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** The line that a model must get past: "0.880 always the most frequent". @param shares  Of each class; null if unknown. */
export function guessLines(
  { guessing }: Pick<MeasureSpec, "guessing">,
  target: Target,
  shares: readonly number[] | null,
): { readonly y: number; readonly label: string }[] {
  const guess = guessing?.(target, shares) ?? null;
  return guess === null ? [] : [{ y: guess.value, label: `${formatDecimal(guess.value)} ${guess.words}` }];
}
