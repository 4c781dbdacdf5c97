import { hasEnded, type RunState } from "#shared/round/run.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import type { Breach } from "./round-invariants.ts";

/** Counts what the log of a run says a second time, because the machine's own counts may be wrong. */
export class RunTally {
  readonly #cohortSizeMin: number;
  readonly #committed = new Set<number>();
  readonly #evaluated = new Set<number>();
  #failures = 0;

  /** @param cohortSizeMin  The minimum of one sum: no round succeeds with fewer devices. */
  constructor(cohortSizeMin: number) {
    this.#cohortSizeMin = cohortSizeMin;
  }

  /** Invariants of every step of a run; empty if they hold. */
  breachesOf(before: RunState | null, after: RunState, fact: RunEvent | RunLaunched): Breach[] {
    const breaches: Breach[] = [];
    if (before !== null && hasEnded(before)) breaches.push(["R16", `a run that has ${before.phase} goes on`]);
    breaches.push(...this.#factBreaches(after, fact));
    const { phase, code, roundsCommitted, facts, waitingSinceUnixMs } = after;
    if (roundsCommitted > facts.rounds || roundsCommitted !== this.#committed.size)
      breaches.push(["R16", `${roundsCommitted} of ${facts.rounds} rounds are shown as committed`]);
    if ((phase === "waiting") !== (waitingSinceUnixMs !== null))
      breaches.push(["R25", `a run that is ${phase} waits since ${waitingSinceUnixMs}`]);
    if (!hasEnded(after)) return breaches;
    if (phase === "completed" && roundsCommitted < facts.rounds)
      breaches.push(["R16", `a run has completed after ${roundsCommitted} of ${facts.rounds} rounds`]);
    const isCut = after.notEvaluated.some((round) => round.code !== "EVALUATION_FAILED");
    const missing = [...this.#committed].filter((round) => !this.#evaluated.has(round));
    if (missing.length > 0 && !isCut)
      breaches.push(["E3", `the run ends without figures of ${missing.join()}`]);
    if (code === "COHORT_TOO_SMALL" && this.#failures < 8)
      breaches.push(["R17", `the run gives up after ${this.#failures} rounds that failed`]);
    return breaches;
  }

  #factBreaches({ facts }: RunState, fact: RunEvent | RunLaunched): Breach[] {
    switch (fact.type) {
      case "round-opened": {
        const breaches: Breach[] = [];
        if ((fact.ready ?? 0) < this.#cohortSizeMin)
          breaches.push(["R25", `round ${fact.round} opens with ${fact.ready} devices`]);
        const due = [0, ...this.#committed].filter((round) => round < Math.max(1, fact.round - 1));
        if (!due.every((round) => this.#evaluated.has(round)))
          breaches.push(["E3", `round ${fact.round} opens before the figures of ${due.join()} are in`]);
        return breaches;
      }
      case "round-ended":
        if (fact.outcome === "committed") this.#committed.add(fact.round);
        this.#failures = fact.outcome !== "failed" ? 0 : this.#failures + (fact.shortOfDevices ? 0 : 1);
        return [];
      case "evaluated": {
        const isDue = fact.round === 0 || this.#committed.has(fact.round);
        if (isDue && !this.#evaluated.has(fact.round)) {
          this.#evaluated.add(fact.round);
          return [];
        }
        return [["E3", `round ${fact.round} is evaluated, which is not due`]];
      }
      case "wait-expired":
        if (fact.atUnixMs >= (facts.waitUntilUnixMs ?? Number.POSITIVE_INFINITY)) return [];
        return [["R25", "a run stops waiting before its time"]];
      default:
        return [];
    }
  }
}
