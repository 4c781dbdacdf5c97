import type { IntegerSum } from "./integer-sum.ts";

/*
 * What a mechanism does to privacy, as data: a ledger keeps events, and an accountant composes them. Source of the idea:
 * the DpEvent of Google's dp-accounting.
 */

export type PrivacyEvent =
  /** Nothing about the data comes out. */
  | { readonly type: "none" }
  /** A sum with continuous Gaussian noise. Computers cannot draw it, so no run does; for research and comparison. */
  | { readonly type: "gaussian"; readonly noiseMultiplier: number }
  /** What an accountant takes for a discrete sum with noise of several devices. */
  | ({ readonly type: "discrete-gaussian-sum" } & IntegerSum)
  | ({ readonly type: "skellam-sum" } & IntegerSum)
  | { readonly type: "zcdp"; readonly rho: number }
  /** Each participant joins with `probability` by its own secret coin. Neighbours: one added or removed. */
  | { readonly type: "poisson-sampled"; readonly probability: number; readonly event: PrivacyEvent }
  /** A sample of fixed size without replacement. Neighbours: one replaced. Gaussian events only. */
  | {
      readonly type: "fixed-size-sampled";
      readonly sampleSize: number;
      readonly populationSize: number;
      readonly event: PrivacyEvent;
    }
  | { readonly type: "composed"; readonly events: readonly PrivacyEvent[] }
  | { readonly type: "repeated"; readonly event: PrivacyEvent; readonly count: number };
