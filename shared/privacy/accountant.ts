import { assert, unreachable } from "../kernel/assert.ts";
import type { PrivacyEvent } from "./events.ts";
import { discreteGaussianSumRenyi, skellamSumRenyi } from "./integer-sum.ts";
import { lossEpsilon, type Rounds } from "./loss-distribution.ts";
import { epsilonFromRenyi, RENYI_ORDERS, type RenyiBound } from "./renyi.ts";
import { sampledGaussianRenyi } from "./sampled-gaussian.ts";
import { fixedSizeSampledRenyi, poissonSampledRenyi } from "./subsampling.ts";

/** Adds up what events cost. Immutable. */
export interface Accountant {
  readonly name: "rdp" | "pld";
  /** Whether this accountant has a bound for the event. Ask before `compose`. */
  supports(event: PrivacyEvent): boolean;
  /**
   * This accountant after `count` more such events. `compose(event, n)` is n times `compose(event)`.
   *
   * @throws AssertionFault if the event is not supported.
   */
  compose(event: PrivacyEvent, count?: number): Accountant;
  /**
   * An upper bound on epsilon for all events together, at least 0. Infinity without noise.
   *
   * @param delta  Above 0, at most 1.
   */
  epsilon(delta: number): number;
}

export const ACCOUNTANTS: Readonly<Record<Accountant["name"], () => Accountant>> = {
  rdp: () => renyiAccountant(new Float64Array(RENYI_ORDERS.length)),
  pld: () => lossAccountant([]),
};

/** Renyi bounds at each of RENYI_ORDERS. Takes every event that has one. */
function renyiAccountant(totals: Float64Array<ArrayBuffer>): Accountant {
  return {
    name: "rdp",
    supports: hasRenyi,
    compose(event, count = 1) {
      assert(isCount(count), "events are counted");
      assert(hasRenyi(event), "the event has a Renyi bound");
      const renyi = renyiOf(event, RENYI_ORDERS);
      return renyiAccountant(totals.map((total, index) => total + times(count, renyi[index] as number)));
    },
    epsilon: (delta) => epsilonFromRenyi(RENYI_ORDERS, totals, delta).epsilon,
  };
}

/** Infinity times 0 events is 0. */
function times(count: number, bound: number): number {
  return count === 0 ? 0 : count * bound;
}

/** One kind of Gaussian sum. */
interface SampledRounds {
  readonly probability: number;
  readonly noiseMultiplier: number;
  readonly count: number;
}

/** The distribution of the privacy loss; Gaussian sums only, sampled or not. Where it has no bound, RDP's. */
function lossAccountant(kinds: readonly SampledRounds[]): Accountant {
  return {
    name: "pld",
    supports: (event) => sampledRounds(event) !== null,
    compose(event, count = 1) {
      assert(isCount(count), "events are counted");
      const more = sampledRounds(event);
      assert(more !== null, "the event is a Gaussian sum, sampled or not");
      return lossAccountant(
        merged([...kinds, ...more.map((kind) => ({ ...kind, count: kind.count * count }))]),
      );
    },
    epsilon(delta) {
      if (kinds.length === 0) return 0;
      const byRenyi = () => byRenyiOf(kinds).epsilon(delta);
      if (kinds.some(({ noiseMultiplier }) => noiseMultiplier === 0)) return byRenyi();
      const rounds = kinds.map(({ probability, noiseMultiplier, count }): Rounds => {
        return { mechanism: { sigma: noiseMultiplier, weights: [1 - probability, probability] }, count };
      });
      return lossEpsilon(rounds, delta) ?? byRenyi();
    },
  };
}

function byRenyiOf(kinds: readonly SampledRounds[]): Accountant {
  return kinds.reduce(
    (total: Accountant, { probability, noiseMultiplier, count }) =>
      total.compose(
        { type: "poisson-sampled", probability, event: { type: "gaussian", noiseMultiplier } },
        count,
      ),
    ACCOUNTANTS.rdp(),
  );
}

/** Kinds with their counts added up. Those that cost nothing are left out. */
function merged(kinds: readonly SampledRounds[]): readonly SampledRounds[] {
  const byKind = new Map<string, SampledRounds>();
  for (const kind of kinds) {
    const { probability, noiseMultiplier, count } = kind;
    if (probability === 0 || count === 0 || noiseMultiplier === Number.POSITIVE_INFINITY) continue;
    const key = `${probability} ${noiseMultiplier}`;
    byKind.set(key, { ...kind, count: count + (byKind.get(key)?.count ?? 0) });
  }
  return [...byKind.values()];
}

/** An event as Gaussian sums; null if it is anything else. */
function sampledRounds(event: PrivacyEvent): readonly SampledRounds[] | null {
  switch (event.type) {
    case "none":
      return [];
    case "gaussian":
      return [{ probability: 1, noiseMultiplier: event.noiseMultiplier, count: 1 }];
    case "poisson-sampled":
      if (event.event.type !== "gaussian") return null;
      return [{ probability: event.probability, noiseMultiplier: event.event.noiseMultiplier, count: 1 }];
    case "repeated": {
      const rounds = sampledRounds(event.event);
      return rounds === null ? null : rounds.map((kind) => ({ ...kind, count: kind.count * event.count }));
    }
    case "composed": {
      const parts = event.events.map(sampledRounds);
      return parts.some((part) => part === null) ? null : parts.flatMap((part) => part ?? []);
    }
    default:
      return null;
  }
}

function hasRenyi(event: PrivacyEvent): boolean {
  switch (event.type) {
    case "poisson-sampled":
      return renyiBoundOf(event.event) !== null;
    case "fixed-size-sampled":
      return event.event.type === "gaussian";
    case "composed":
      return event.events.every(hasRenyi);
    case "repeated":
      return hasRenyi(event.event);
    default:
      return true;
  }
}

/** r(a) of an event at each order. @throws AssertionFault if it has none. */
export function renyiOf(event: PrivacyEvent, orders: readonly number[]): Float64Array<ArrayBuffer> {
  const at = (bound: RenyiBound) => Float64Array.from(orders, bound);
  switch (event.type) {
    case "poisson-sampled": {
      const { probability, event: inner } = event;
      if (inner.type === "gaussian") return sampledGaussianRenyi(probability, inner.noiseMultiplier, orders);
      const bound = renyiBoundOf(inner);
      assert(bound !== null, "what is sampled has a bound at every order");
      return at((order) => poissonSampledRenyi(probability, bound, order));
    }
    case "fixed-size-sampled": {
      const { sampleSize, populationSize, event: inner } = event;
      assert(inner.type === "gaussian", "a sample of fixed size has a bound for Gaussian noise only");
      return at((order) => fixedSizeSampledRenyi(sampleSize / populationSize, inner.noiseMultiplier, order));
    }
    case "composed": {
      const total = new Float64Array(orders.length);
      for (const part of event.events) {
        for (const [index, bound] of renyiOf(part, orders).entries())
          total[index] = (total[index] as number) + bound;
      }
      return total;
    }
    case "repeated":
      return renyiOf(event.event, orders).map((bound) => times(event.count, bound));
    default: {
      const bound = renyiBoundOf(event);
      assert(bound !== null, "the event has a Renyi bound");
      return at(bound);
    }
  }
}

/** The bound at every real order, for events without sampling; null for those with. */
export function renyiBoundOf(event: PrivacyEvent): RenyiBound | null {
  switch (event.type) {
    case "none":
      return () => 0;
    case "gaussian":
      return (order) => order / (2 * event.noiseMultiplier ** 2);
    case "zcdp":
      return (order) => event.rho * order;
    case "discrete-gaussian-sum":
      return (order) => discreteGaussianSumRenyi(event, order);
    case "skellam-sum":
      return (order) => skellamSumRenyi(event, order);
    case "repeated": {
      const bound = renyiBoundOf(event.event);
      return bound === null ? null : (order) => times(event.count, bound(order));
    }
    case "composed": {
      const bounds = event.events.map(renyiBoundOf);
      if (bounds.some((bound) => bound === null)) return null;
      return (order) => bounds.reduce((sum, bound) => sum + (bound?.(order) ?? 0), 0);
    }
    case "poisson-sampled":
    case "fixed-size-sampled":
      return null;
    default:
      return unreachable(event);
  }
}

function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}
