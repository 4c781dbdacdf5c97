import type { RandomBytes } from "#shared/kernel/ports.ts";
import { backoffMs } from "../ports/backoff.ts";
import { outageCode } from "../ports/outage.ts";

/** Delay before the log is read again after a fault. */
const RELOAD_AFTER_MS = 1_000;
/** A run with this many faults since its newest committed round is given up. */
const FAULTS_MAX = 10;

/** When a run whose driver failed is read again from its log, and when it is given up. Rules R43, R44. */
export class Reloads {
  readonly #random: RandomBytes;
  /** Faults per run since its newest committed round, and the number of committed rounds then. */
  readonly #faults = new Map<string, { readonly count: number; readonly roundsCommitted: number }>();
  /** Tries since the last successful write, per run that waits for its store or disk. */
  readonly #outages = new Map<string, number>();

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  /** Delay before the log is read again. An outage is waited for without limit. Only real faults are counted. */
  delayMs(runId: string, roundsCommitted: number, error: unknown): number {
    if (outageCode(error) === null) {
      const before = this.#faults.get(runId) ?? { count: 0, roundsCommitted };
      const count = roundsCommitted > before.roundsCommitted ? 1 : before.count + 1;
      this.#faults.set(runId, { count, roundsCommitted: Math.max(roundsCommitted, before.roundsCommitted) });
      return RELOAD_AFTER_MS;
    }
    const tries = (this.#outages.get(runId) ?? 0) + 1;
    this.#outages.set(runId, tries);
    return backoffMs(tries, this.#random);
  }

  /** Something of the run was written: its store and disk are there. */
  wrote(runId: string): void {
    this.#outages.delete(runId);
  }

  /** Whether the run has failed too often. */
  isHopeless(runId: string): boolean {
    return (this.#faults.get(runId)?.count ?? 0) >= FAULTS_MAX;
  }

  ended(runId: string): void {
    this.#faults.delete(runId);
    this.#outages.delete(runId);
  }
}
