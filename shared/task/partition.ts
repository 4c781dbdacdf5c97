import { assert } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { seededUniform, shuffledIndices } from "./shuffle.ts";

/*
 * How one labelled data set becomes a held-out part and the shards of several devices. Everything follows from the labels
 * and a seed; rows are named by their index. Demo and simulator cut alike.
 */

/** Draws of a partition that leave some shard under `rowsMin` before the partition is given up. */
const DRAWS_MAX = 1_000;

export interface HoldOut {
  /** Ascending. */
  readonly heldOut: readonly number[];
  /** Ascending. */
  readonly rest: readonly number[];
}

/**
 * Keeps back `fraction` of every class, rounded to whole rows, so that the held-out part has the classes of the whole.
 *
 * @param labels    Class index of each row, >= 0.
 * @param fraction  In (0, 1).
 * @param seed      Whole number, 0 to 2^32 - 1.
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

export interface ShardPlan {
  readonly shardCount: number;
  /** Concentration: small values give a device few classes, large ones an equal mix. > 0. */
  readonly alpha: number;
  readonly seed: number;
  /** Drawn again until each shard has at least this many rows. */
  readonly rowsMin: number;
}

/**
 * Label skew: for each class the shards' shares of it are one draw from a symmetric Dirichlet distribution.
 *
 * @param labels  Class index of each row.
 * @returns Row indices of each shard, ascending; every row is in exactly one.
 * Errors: `too-few-rows` where 1,000 draws left some shard under `rowsMin`.
 * Source: Hsu, Qi and Brown 2019, arXiv:1909.06335, section 3, with the redraw of Li et al. 2022, arXiv:2102.02079.
 */
export function dirichletShards(
  labels: ArrayLike<number>,
  { shardCount, alpha, seed, rowsMin }: ShardPlan,
): Result<readonly (readonly number[])[], { readonly type: "too-few-rows" }> {
  assert(Number.isInteger(shardCount) && shardCount >= 1, "a whole number of shards");
  assert(alpha > 0 && Number.isFinite(alpha), "alpha is positive");
  if (labels.length < shardCount * rowsMin) return err({ type: "too-few-rows" });
  const classes = [...rowsByLabel(labels)];
  const uniform = seededUniform(seed);
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    const cutsByClass = classes.map(([, rows]) => cuts(dirichlet(shardCount, alpha, uniform), rows.length));
    const counts = Array.from({ length: shardCount }, (_, shard) =>
      cutsByClass.reduce((sum, cut) => sum + (cut[shard + 1] as number) - (cut[shard] as number), 0),
    );
    if (Math.min(...counts) < rowsMin) continue;
    const shards = counts.map((): number[] => []);
    classes.forEach(([label, rows], index) => {
      const order = shuffledIndices(rows.length, classSeed(seed, label));
      const cut = cutsByClass[index] as readonly number[];
      shards.forEach((shard, position) => {
        for (let rank = cut[position] as number; rank < (cut[position + 1] as number); rank++) {
          shard.push(rows[order[rank] as number] as number);
        }
      });
    });
    for (const shard of shards) shard.sort(ascending);
    return ok(shards);
  }
  return err({ type: "too-few-rows" });
}

/** One draw of `count` shares that sum to 1, from the symmetric Dirichlet distribution. */
export function dirichlet(count: number, alpha: number, uniform: () => number): number[] {
  // In logarithms: a gamma draw for a small alpha is often smaller than any double.
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

/** In (0, 1]: its logarithm is finite. */
function positive(uniform: () => number): number {
  return 1 - uniform();
}

/** Where each share begins among `rowCount` rows; one more entry than shares, from 0 to `rowCount`. */
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

/** Another order for each class, on 32 bits. */
function classSeed(seed: number, label: number): number {
  return (seed + Math.imul(label + 1, 0x85ebca6b)) >>> 0;
}

function ascending(left: number, right: number): number {
  return left - right;
}
