import { z } from "zod";

/*
 * How a number is scaled for the model. A task names its scaling, and no device computes one from its own rows: all devices
 * must scale alike, and a device's mean would say something about its rows.
 */

/** Least and greatest number. A falling range would invert the data; an empty one would divide by zero. */
export const risingRange = z
  .tuple([z.number(), z.number()])
  .refine(([least, greatest]) => least < greatest, "range must rise")
  .refine(([least, greatest]) => Number.isFinite(greatest - least), "range is too wide");

/**
 * | kind     | scaled value                                                               |
 * | -------- | -------------------------------------------------------------------------- |
 * | (absent) | the range becomes 0 to 1                                                   |
 * | standard | (x - mean) / deviation, for a mean and a deviation that are public already |
 * | log1p    | log(1 + x), then its range becomes 0 to 1: for amounts with few large ones |
 */
export const scalingSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("standard"), mean: z.number(), deviation: z.number().gt(0) }),
  z.strictObject({ kind: z.literal("log1p") }),
]);
type Scaling = z.output<typeof scalingSchema>;

/** A number with its range and scaling: a column, a channel of a series, or a label. */
export interface Scaled {
  readonly range: readonly [number, number];
  readonly scaling?: Scaling;
}

/** Null if the scaling fits the range, else what to change. */
export function scalingRefusal({ range, scaling }: Scaled): string | null {
  if (scaling === undefined) return null;
  const [from, to] = range;
  if (scaling.kind === "log1p") {
    return from > -1
      ? null
      : "log1p needs a range that begins above -1; use standard, or leave the scaling out";
  }
  const farthest = Math.max(Math.abs(from - scaling.mean), Math.abs(to - scaling.mean)) / scaling.deviation;
  return farthest <= FARTHEST_DEVIATION
    ? null
    : `the range reaches ${farthest.toPrecision(3)} deviations from the mean, at most ${FARTHEST_DEVIATION} work; narrow the range or give a larger deviation`;
}

/** Beyond it a single row would move a model by thousands of ordinary ones. */
const FARTHEST_DEVIATION = 1_000;

/** The scaled value of a number within the range. */
export function scale({ range: [from, to], scaling }: Scaled, value: number): number {
  if (scaling?.kind === "standard") return (value - scaling.mean) / scaling.deviation;
  if (scaling?.kind === "log1p") {
    return (Math.log1p(value) - Math.log1p(from)) / (Math.log1p(to) - Math.log1p(from));
  }
  return (value - from) / (to - from);
}

/** The number of a scaled value, within the range: what lies outside becomes its nearer end. NaN stays NaN. */
export function unscale(scaled: Scaled, value: number): number {
  const [from, to] = scaled.range;
  return Math.min(to, Math.max(from, unbounded(scaled, value)));
}

function unbounded({ range: [from, to], scaling }: Scaled, value: number): number {
  if (scaling?.kind === "standard") return scaling.mean + value * scaling.deviation;
  if (scaling?.kind === "log1p") {
    return Math.expm1(Math.log1p(from) + value * (Math.log1p(to) - Math.log1p(from)));
  }
  return from + value * (to - from);
}
