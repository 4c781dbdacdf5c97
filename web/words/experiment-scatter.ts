import type { RunNames } from "#shared/protocol/run-search.ts";
import { MEASURES, type MeasureSpec } from "#shared/task/measures/index.ts";
import { RATE } from "./experiment-columns.ts";
import type { ExperimentRow } from "./experiments.ts";
import { capitalise, countInWords, formatMeasure } from "./format.ts";

/* What a scatter of runs can have across and up, which runs it shows, and why it leaves others out. Pure. */

/** A value of a run with its interval; the half width is null if there is none. */
export interface Plotted {
  readonly row: ExperimentRow;
  readonly x: number;
  readonly y: number;
  readonly halfWidth: number | null;
}

/** A figure that may stand up. */
export interface UpChoice {
  /** In the address. */
  readonly name: string;
  readonly title: string;
  /** Null for what only the coordinator's metrics know. */
  readonly spec: MeasureSpec | null;
}

/** Measures come first, then every other figure that the coordinator keeps of runs. */
export function upChoices({ metrics }: RunNames): readonly UpChoice[] {
  const measures = MEASURES.filter(
    ({ name }) => metrics.includes(name) || metrics.includes(`devices_${name}`),
  );
  return [
    ...measures.map((spec) => ({ name: spec.name, title: spec.label, spec })),
    ...metrics
      .filter((key) => !measures.some(({ name }) => name === key))
      .map((key) => ({ name: key, title: key, spec: null })),
  ];
}

/** Params that are a number in at least one run. Those that differ come first, the rate before others. */
export function numberParams(rows: readonly ExperimentRow[]): readonly string[] {
  const names = [...new Set(rows.flatMap(({ params }) => [...params.keys()]))];
  const valuesOf = (name: string) => rows.flatMap(({ params }) => numberOf(params.get(name)) ?? []);
  const rank = (name: string) => (new Set(valuesOf(name)).size > 1 ? 0 : 2) + (name === RATE ? 0 : 1);
  return names.filter((name) => valuesOf(name).length > 0).toSorted((one, other) => rank(one) - rank(other));
}

function numberOf(text: string | undefined): number | null {
  if (text === undefined || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** Whether figures of this choice must be of the same rows to stand in one chart. Those on devices each have their own. */
export function needsSameRows({ spec }: UpChoice): boolean {
  return spec !== null;
}

export interface Scatter {
  readonly points: readonly Plotted[];
  /** Why runs are left out, a sentence each. */
  readonly leftOut: readonly string[];
}

/** The runs that have both values and a place on both axes. */
export function scatterOf(
  rows: readonly ExperimentRow[],
  param: string,
  up: UpChoice,
  logs: { readonly x: boolean; readonly y: boolean },
): Scatter {
  const withX = rows.flatMap((row) => {
    const x = numberOf(row.params.get(param));
    return x === null ? [] : [{ row, x }];
  });
  const withBoth = withX.flatMap(({ row, x }) => {
    const measure = up.spec === null ? undefined : row.measures[up.spec.name];
    const y = measure?.value ?? (up.spec === null ? row.metrics.get(up.name) : undefined);
    return y === undefined ? [] : [{ row, x, y, halfWidth: measure?.halfWidth95 ?? null }];
  });
  const points = withBoth.filter(({ x, y }) => (!logs.x || x > 0) && (!logs.y || y > 0));
  return {
    points,
    leftOut: [
      leftOutWords(rows.length - withX.length, `${param} is not a number there`),
      leftOutWords(withX.length - withBoth.length, `without ${up.title.toLowerCase()}`),
      leftOutWords(withBoth.length - points.length, "a logarithmic axis has no place for 0 or less"),
    ].flatMap((sentence) => sentence ?? []),
  };
}

/** "Two runs are left out: ..."; null for none. */
export function leftOutWords(count: number, why: string): string | null {
  if (count === 0) return null;
  return `${capitalise(countInWords(count))} ${count === 1 ? "run is" : "runs are"} left out: ${why}.`;
}

/** A point, read aloud: "run 6: 0.2, 0.964 ± 0.019". */
export function pointWords({ row, x, y, halfWidth }: Plotted, spec: MeasureSpec | null): string {
  const measure = spec === null ? undefined : row.measures[spec.name];
  const value = measure !== undefined && halfWidth !== null ? formatMeasure(measure) : bare(y);
  return `run ${row.run.number}: ${bare(x)}, ${value}`;
}

/** Four significant digits: "0.2", "0.00001", "1,250". */
function bare(value: number): string {
  const text = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 }).format(value);
  return text === "-0" ? "0" : text.replace("-", "−");
}

/** Read from the address: "1" and "0" say so; else it depends on how far the values are apart. */
export function wantsLog(asked: string | null, values: readonly number[]): boolean {
  if (asked === "1") return true;
  if (asked === "0" || values.length === 0) return false;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low > 0 && high / low >= LOG_FROM;
}

/** From this ratio of the largest to the smallest on. */
const LOG_FROM = 10;
