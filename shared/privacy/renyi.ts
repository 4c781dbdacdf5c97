import { assert } from "../kernel/assert.ts";

/*
 * Renyi differential privacy (RDP): for each order a > 1 a bound r(a) on the Renyi divergence of order a between the
 * outputs on neighbouring data. Composition adds the bounds of each order. Source: Mironov 2017, arXiv:1702.07476.
 */

/** r(a), for an order a > 1. Infinity if the mechanism has no bound at this order. */
export type RenyiBound = (order: number) => number;

/** Orders at which bounds are tracked: 1 + x/10 for x = 1..99, 11..63, and 128, 256, 512 and 1024. */
export const RENYI_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, index) => 1 + (index + 1) / 10),
  ...Array.from({ length: 53 }, (_, index) => 11 + index),
  128,
  256,
  512,
  1024,
];

export interface EpsilonAtOrder {
  /** At least 0. Infinity if no order gives a bound. */
  readonly epsilon: number;
  /** The order that gives it; null if none does. */
  readonly order: number | null;
}

/**
 * The smallest epsilon that the bounds prove for `delta`.
 *
 * @param renyi  One bound for each order.
 * @param delta  Above 0, at most 1.
 * Source: Canonne, Kamath and Steinke 2020, arXiv:2004.00010, proposition 12. An order at which
 * delta^2 > 1 - e^-r gives 0 by the inequality of Bretagnolle and Huber.
 */
export function epsilonFromRenyi(
  orders: readonly number[],
  renyi: ArrayLike<number>,
  delta: number,
): EpsilonAtOrder {
  assert(delta > 0 && delta <= 1, "delta is above 0 and at most 1");
  let best: EpsilonAtOrder = { epsilon: Number.POSITIVE_INFINITY, order: null };
  for (const [index, order] of orders.entries()) {
    const bound = renyi[index] as number;
    const epsilon = epsilonAtOrder(order, bound, delta);
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return { ...best, epsilon: Math.max(0, best.epsilon) };
}

function epsilonAtOrder(order: number, bound: number, delta: number): number {
  if (Number.isNaN(bound)) return Number.POSITIVE_INFINITY;
  if (delta * delta + Math.expm1(-bound) > 0) return 0;
  if (order <= 1.01) return Number.POSITIVE_INFINITY;
  return bound + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1);
}

/**
 * The smallest delta that the bounds prove for `epsilon`, at most 1.
 *
 * Source: the same proposition, solved for delta.
 */
export function deltaFromRenyi(orders: readonly number[], renyi: ArrayLike<number>, epsilon: number): number {
  assert(epsilon >= 0, "epsilon is at least 0");
  let best = 0;
  for (const [index, order] of orders.entries()) {
    const bound = renyi[index] as number;
    if (!Number.isFinite(bound)) continue;
    const byHuber = 0.5 * Math.log(-Math.expm1(-bound));
    const byOrder =
      order <= 1.01 ? 0 : (order - 1) * (bound - epsilon + Math.log1p(-1 / order)) - Math.log(order);
    best = Math.min(best, byHuber, byOrder);
  }
  return Math.exp(best);
}
