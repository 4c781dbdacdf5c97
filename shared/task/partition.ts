import { assert } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { seededUniform, shuffledIndices } from "./shuffle.ts";

/*
 * Splits a labelled data set into a held-out part and the parts of several devices. The split depends only on the labels
 * and a seed. Rows are named by their index. Demo and simulator split in the same way.
 */

/** Gives up after this many draws that leave some part below `rowsMin`. */
const DRAWS_MAX = 1_000;

export interface HoldOut {
  /** Ascending. */
  readonly heldOut: readonly number[];
  /** Ascending. */
  readonly rest: readonly number[];
}

/**
 * Holds out `fraction` of every class, rounded to whole rows, so the held-out part has the class distribution of the whole.
 *
 * @param labels    Class index of each row, >= 0.
 * @param fraction  In (0, 1).
 * @param seed      Integer, 0 to 2^32 - 1.
 */
export function holdOut(labels: ArrayLike<number>, fraction: number, seed: number): HoldOut {
  assert(fraction > 0 && fraction < 1, "a fraction of the rows is held out");
  const heldOut: number[] = [];
  const rest: number[] = [];
  for (const [label, rows] of rowsByLabel(labels)) {
    const order = shuffledIndices(rows.length, classSeed(seed, label));
    const heldOutCount = Math.round(fraction * rows.length);
    order.forEach((place, rank) => {
      (rank < heldOutCount ? heldOut : rest).push(rows[place] as number);
    });
  }
  return { heldOut: heldOut.sort(ascending), rest: rest.sort(ascending) };
}

export interface PartitionPlan {
  readonly partCount: number;
  /** Concentration, > 0. Small values give a device few classes, large ones an equal mix. */
  readonly alpha: number;
  readonly seed: number;
  /** The partition is redrawn until each part has at least this many rows. */
  readonly rowsMin: number;
}

/**
 * Partitions with label skew: for each class, a draw from a symmetric Dirichlet distribution gives each part's fraction.
 *
 * @param labels  Class index of each row.
 * @returns Row indices of each part, ascending. Every row is in exactly one part.
 * Error: `too-few-rows` if all 1,000 draws left some part below `rowsMin`.
 * Source: Hsu, Qi and Brown 2019, arXiv:1909.06335, section 3, with the redraw of Li et al. 2022, arXiv:2102.02079.
 */
export function dirichletParts(
  labels: ArrayLike<number>,
  { partCount, alpha, seed, rowsMin }: PartitionPlan,
): Result<readonly (readonly number[])[], { readonly type: "too-few-rows" }> {
  assert(Number.isInteger(partCount) && partCount >= 1, "a whole number of parts");
  assert(alpha > 0 && Number.isFinite(alpha), "alpha is positive");
  if (labels.length < partCount * rowsMin) return err({ type: "too-few-rows" });
  const classes = [...rowsByLabel(labels)];
  const uniform = seededUniform(seed);
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    const cutsByClass = classes.map(([, rows]) => cuts(dirichlet(partCount, alpha, uniform), rows.length));
    const counts = Array.from({ length: partCount }, (_, part) =>
      cutsByClass.reduce((sum, cut) => sum + (cut[part + 1] as number) - (cut[part] as number), 0),
    );
    if (Math.min(...counts) < rowsMin) continue;
    const parts = counts.map((): number[] => []);
    classes.forEach(([label, rows], index) => {
      const order = shuffledIndices(rows.length, classSeed(seed, label));
      const cut = cutsByClass[index] as readonly number[];
      parts.forEach((part, position) => {
        for (let rank = cut[position] as number; rank < (cut[position + 1] as number); rank++) {
          part.push(rows[order[rank] as number] as number);
        }
      });
    });
    for (const part of parts) part.sort(ascending);
    return ok(parts);
  }
  return err({ type: "too-few-rows" });
}

/** A draw from the symmetric Dirichlet distribution: `count` fractions that sum to 1. */
export function dirichlet(count: number, alpha: number, uniform: () => number): number[] {
  // Work with logarithms, because gamma draws for a small alpha often underflow a double.
  const logs = Array.from({ length: count }, () => logGamma(alpha, uniform));
  const largest = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/**
 * Logarithm of a draw from the gamma distribution with shape `alpha` and scale 1.
 *
 * Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables", with their step for alpha < 1.
 */
function logGamma(alpha: number, uniform: () => number): number {
  const shape = alpha < 1 ? alpha + 1 : alpha;
  const boost = alpha < 1 ? Math.log(positive(uniform)) / alpha : 0;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(uniform);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(positive(uniform)) < x * x * 0.5 + d - d * v + d * Math.log(v))
      return Math.log(d * v) + boost;
  }
}

/** Standard normal. Source: Box and Muller 1958. */
function normal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(positive(uniform))) * Math.cos(2 * Math.PI * uniform());
}

/** Uniform in (0, 1], so that its logarithm is finite. */
function positive(uniform: () => number): number {
  return 1 - uniform();
}

/** The first row of each fraction of `rowCount` rows. The last entry is `rowCount`. */
function cuts(shares: readonly number[], rowCount: number): number[] {
  const starts = [0];
  let sum = 0;
  for (const share of shares) {
    sum += share;
    starts.push(Math.min(rowCount, Math.round(sum * rowCount)));
  }
  starts[shares.length] = rowCount;
  return starts;
}

function rowsByLabel(labels: ArrayLike<number>): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    const same = rows.get(label);
    if (same === undefined) rows.set(label, [row]);
    else same.push(row);
  }
  return new Map([...rows].sort(([left], [right]) => left - right));
}

/** A different 32-bit seed for each class. */
function classSeed(seed: number, label: number): number {
  return (seed + Math.imul(label + 1, 0x85ebca6b)) >>> 0;
}

function ascending(left: number, right: number): number {
  return left - right;
}

/**
 * Partitions by site: rows with the same value belong together. Values take turns over the parts, and several parts of one
 * value share its rows evenly.
 *
 * @param sites  Value of each row.
 * @returns Row indices of each part, ascending. Every row is in exactly one part.
 * Error: `too-few-rows` if some part has fewer than `rowsMin`.
 */
export function siteParts(
  sites: readonly string[],
  { partCount, seed, rowsMin }: Omit<PartitionPlan, "alpha">,
): Result<readonly (readonly number[])[], { readonly type: "too-few-rows" }> {
  assert(Number.isInteger(partCount) && partCount >= 1, "a whole number of parts");
  const values = [...new Set(sites)].sort();
  const parts = Array.from({ length: partCount }, (): number[] => []);
  for (const [index, value] of values.entries()) {
    const rows = [...sites.keys()].filter((row) => sites[row] === value);
    const own = parts.filter((_, part) =>
      partCount >= values.length ? part % values.length === index : part === index % partCount,
    );
    for (const [rank, place] of shuffledIndices(rows.length, classSeed(seed, index)).entries()) {
      own[rank % own.length]?.push(rows[place] as number);
    }
  }
  if (parts.some((part) => part.length < rowsMin)) return err({ type: "too-few-rows" });
  return ok(parts.map((part) => part.sort(ascending)));
}
