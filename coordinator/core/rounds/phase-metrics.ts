import { isLive, type RoundState } from "#shared/round/state.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

/** What an operator's metrics and log say of a round's phases. */
export class PhaseMetrics {
  readonly #metrics: CoordinatorPorts["metrics"];
  readonly #log: CoordinatorPorts["log"];
  #beganMs: number;

  /** @param beganMs  When the current phase began, as far as this process knows. */
  constructor({ metrics, log }: Pick<CoordinatorPorts, "metrics" | "log">, beganMs: number) {
    this.#metrics = metrics;
    this.#log = log;
    this.#beganMs = beganMs;
  }

  changed(before: RoundState, after: RoundState): void {
    if (before.phase === after.phase && before.attempt === after.attempt) return;
    if (before.phase === "recruiting") {
      const last = [...after.members.values()].filter(({ askedLast }) => askedLast).length;
      if (last > 0) this.#metrics.askedLast(last);
    }
    if (isLive(before)) {
      this.#metrics.phaseEnded(before.phase, (after.nowMs - this.#beganMs) / 1_000);
      const dropouts = (after.counts.at(-1)?.left ?? 0) - (before.counts.at(-1)?.left ?? 0);
      if (dropouts > 0) this.#metrics.dropouts(before.phase, dropouts);
    }
    this.#beganMs = after.nowMs;
    if (isLive(after)) return;
    const seconds = after.nowMs / 1_000;
    this.#metrics.roundEnded(after.phase, seconds);
    const { runId, roundId, round } = after.facts;
    const code = "code" in after ? { code: after.code } : {};
    this.#log.info(
      { runId, roundId, round, attempt: after.attempt, outcome: after.phase, ...code, seconds },
      "a round ended",
    );
  }
}
