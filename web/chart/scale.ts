import { type ScaleContinuousNumeric, type ScaleLinear, scaleLinear, scaleLog } from "d3-scale";

/* Plots: the pixel position of values, and the ticks beside them. Pure; components draw it. */

export interface PlotFrame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly narrow: boolean;
  readonly x: ScaleLinear<number, number>;
  readonly y: ScaleContinuousNumeric<number, number>;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

interface FrameInput {
  readonly width: number;
  readonly height: number;
  readonly x: readonly [number, number];
  /** Smallest and largest value shown; widened to full ticks. */
  readonly y: readonly [number, number];
  /** Room for labels at the right of the plot. */
  readonly labelWidth?: number;
  readonly padLeft?: number;
  /** Upwards a logarithm; all values are then above 0. */
  readonly isLogY?: boolean;
}

const NARROW_PX = 420;
const STEPS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];

/** At most six whole numbers along the axis, because there are no half rounds. */
export function wholeTicks(from: number, to: number): number[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= 5) ?? 100_000;
  const ticks: number[] = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}

/** The frame of a plot over rounds or seconds: 4 to 6 ticks upwards, whole numbers across. */
export function plotFrame(input: FrameInput): PlotFrame {
  const { width, height } = input;
  const narrow = width < NARROW_PX;
  const left = input.padLeft ?? 38;
  const right = width - (input.labelWidth ?? (narrow ? 12 : 112));
  const top = 26;
  const bottom = height - 30;
  const [low, high] = input.y;
  const y =
    input.isLogY === true
      ? scaleLog(low === high ? [low / 2, high * 2] : [low, high], [bottom, top])
      : scaleLinear(low === high ? [low - 0.5, high + 0.5] : [low, high], [bottom, top]).nice(4);
  return {
    width,
    height,
    left,
    right,
    top,
    bottom,
    narrow,
    x: scaleLinear().domain(input.x).range([left, right]),
    y,
    xTicks: wholeTicks(...input.x),
    yTicks: input.isLogY === true ? logTicks(low, high) : y.ticks(4),
  };
}

/** 1, 2 and 5 times powers of ten; powers alone if these are too many; both ends if there are too few. */
function logTicks(low: number, high: number): number[] {
  const exponents = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  const powers = exponents(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)));
  const within = (ticks: readonly number[]) => ticks.filter((tick) => tick >= low && tick <= high);
  const fine = within(powers.flatMap((power) => [power, 2 * power, 5 * power]));
  if (fine.length < 2) return low === high ? [low] : [low, high];
  return fine.length <= 6 ? fine : within(powers);
}

/** Enough decimals to tell the ticks apart. */
export function tickDecimals(ticks: readonly number[]): number {
  const gap = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0));
  return Math.max(0, Math.min(4, Math.ceil(-Math.log10(gap) - 1e-9)));
}

/** The last round of a shared axis: a round number beyond what is done, but at most what is planned. */
export function roundsAxisEnd(roundsDone: number, roundsPlanned: number): number {
  const ends = [5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 750, 1_000];
  const wanted = roundsDone + 1;
  const end = ends.find((candidate) => candidate >= wanted) ?? 1_000 * Math.ceil(wanted / 1_000);
  return Math.max(1, Math.min(end, roundsPlanned));
}

/**
 * Moves labels apart, in order, so that neighbours are at least `gap` pixels from each other.
 *
 * @param wanted  Preferred position of each label, in any order.
 * @param bottom  Labels end above this if there is room.
 */
export function spreadLabels(wanted: readonly number[], gap: number, bottom: number): number[] {
  const order = wanted.map((_, index) => index).toSorted((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const placed = [...wanted];
  let last = Number.NEGATIVE_INFINITY;
  for (const index of order) {
    last = Math.max(placed[index] ?? 0, last + gap);
    placed[index] = last;
  }
  let next = bottom + gap;
  for (const index of order.toReversed()) {
    next = Math.min(placed[index] ?? 0, next - gap);
    placed[index] = next;
  }
  return placed;
}
