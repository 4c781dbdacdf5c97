import { assert } from "../kernel/assert.ts";
import { ACCOUNTANTS, renyiBoundOf } from "./accountant.ts";
import type { PrivacyEvent } from "./events.ts";
import { valleyMin } from "./search.ts";

/* The two figures of a run. One number without saying against whom it holds would be wrong. */

/** Who decides whether a device takes part in a round. */
export type Sampling =
  /** The coordinator, or nobody: nothing is gained. */
  | { readonly type: "none" }
  /** Each device flips its own secret coin before it checks in. */
  | { readonly type: "device-coin"; readonly probability: number };

export interface RunCost {
  /** What one round reveals of a participant in it: the sum's noise, without any sampling. */
  readonly round: PrivacyEvent;
  readonly roundCount: number;
  /** The rounds that any one device takes part in, at most. The device itself enforces it. */
  readonly participationMax: number;
  readonly sampling: Sampling;
  /** Above 0, at most 1. */
  readonly delta: number;
}

export interface RunFigures {
  /** Epsilon against the server, which knows who took part in which round. */
  readonly againstServer: number;
  /** Epsilon against those who get the models and do not know who took part. */
  readonly againstRecipients: number;
}

/**
 * Both epsilons for adding or removing one device, all models released.
 *
 * Against the server a device costs the rounds that it is in. Against recipients of the models the device's coin counts as
 * well; the smaller of the two bounds holds.
 */
export function runFigures({ round, roundCount, participationMax, sampling, delta }: RunCost): RunFigures {
  assert(Number.isSafeInteger(roundCount) && roundCount >= 0, "rounds are counted");
  assert(Number.isSafeInteger(participationMax) && participationMax >= 0, "participations are counted");
  const againstServer = unsampledEpsilon(round, Math.min(roundCount, participationMax), delta);
  if (sampling.type === "none") return { againstServer, againstRecipients: againstServer };
  const event: PrivacyEvent = { type: "poisson-sampled", probability: sampling.probability, event: round };
  const byCoin = ACCOUNTANTS.rdp().compose(event, roundCount).epsilon(delta);
  return { againstServer, againstRecipients: Math.min(againstServer, byCoin) };
}

/** Epsilon of `count` rounds without sampling, over all real orders. */
export function unsampledEpsilon(round: PrivacyEvent, count: number, delta: number): number {
  assert(delta > 0 && delta <= 1, "delta is above 0 and at most 1");
  const bound = renyiBoundOf(round);
  assert(bound !== null, "a round without sampling has a bound at every order");
  if (count === 0 || delta === 1) return 0;
  const epsilonAt = (lnExcess: number) => {
    const excess = Math.exp(lnExcess);
    const order = 1 + excess;
    const renyi = count * bound(order);
    if (delta * delta + Math.expm1(-renyi) > 0) return 0;
    return renyi + Math.log(excess / order) - Math.log(delta * order) / excess;
  };
  return Math.max(0, valleyMin(epsilonAt, Math.log(1e-6), Math.log(1e6)));
}
