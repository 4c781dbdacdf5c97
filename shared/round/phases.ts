/*
 * Phases of rounds and runs by name, for the machines and for whoever shows them.
 */

/** Phases of a round that take time, in order. */
export const TIMED_PHASES = [
  "recruiting",
  "training",
  "advertising",
  "sharing",
  "collecting",
  "confirming",
  "unmasking",
] as const;

/** Phases of a round that has ended. */
export const END_PHASES = ["committed", "voided", "failed"] as const;
export type EndPhase = (typeof END_PHASES)[number];

export const ROUND_PHASES = [...TIMED_PHASES, ...END_PHASES] as const;

/** @param phase  Of a round; it may come from a row of the store. */
export function isEndPhase(phase: string | null): phase is EndPhase {
  return (END_PHASES as readonly (string | null)[]).includes(phase);
}

export const RUN_PHASES = [
  "queued",
  "waiting",
  "running",
  "paused",
  "stopping",
  "evaluating",
  "completed",
  "failed",
] as const;
