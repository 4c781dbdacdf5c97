import type { RoundView, RunView } from "#shared/protocol/api.ts";
import { isLive } from "#shared/round/state.ts";
import type { Note } from "./notes.ts";
import type { CoordinatorPorts, StreamId } from "./ports.ts";
import type { RoundDriver } from "./round-driver.ts";
import type { RunDriver } from "./run-driver.ts";
import { eventView } from "./stored-event.ts";

/** A living round is shown at most this often, but at each turn of its phases at once. */
const ROUND_EVERY_MS = 1_000;
/** So is a run that waits, as devices come and go. */
const RUN_EVERY_MS = 1_000;

/** What the dashboards hear. */
export class Publisher {
  readonly #ports: Pick<CoordinatorPorts, "broadcast" | "after">;
  readonly #waiting = new Map<string, () => void>();
  readonly #shown = new Map<string, RoundView["phase"]>();

  constructor(ports: Pick<CoordinatorPorts, "broadcast" | "after">) {
    this.#ports = ports;
  }

  run(view: RunView): void {
    this.#ports.broadcast.publish("run", view.runId, view);
  }

  /**
   * Of a run that changes often in small ways: at most once a second.
   *
   * @param newest  The run's driver by then, which is another one if the run was reloaded; undefined if it has ended.
   */
  runSoon(runId: string, newest: () => RunDriver | undefined): void {
    if (this.#waiting.has(runId)) return;
    const show = () => {
      this.#waiting.delete(runId);
      const run = newest();
      if (run !== undefined) this.run(run.view());
    };
    this.#waiting.set(runId, this.#ports.after(RUN_EVERY_MS, show));
  }

  event(stream: StreamId, runId: string, sequence: number, at: number, note: Note | null): void {
    const view = eventView(stream, { sequence, at, event: { note } });
    if (view !== null) this.#ports.broadcast.publish("event", runId, view);
  }

  /**
   * @param newest  The driver of the run's newest round when this one is shown later.
   * @returns whether its phase has changed since it was shown last.
   */
  round(driver: RoundDriver, newest: () => RoundDriver | null | undefined): boolean {
    const { roundId } = driver.state.facts;
    const turned = this.#shown.get(roundId) !== driver.state.phase;
    if (turned) this.#showRound(driver);
    else if (!this.#waiting.has(roundId)) {
      const show = () => {
        this.#waiting.delete(roundId);
        const round = newest();
        // Missing while a reloaded run has not read its round yet.
        if (round?.state.facts.roundId === roundId) this.#showRound(round);
      };
      this.#waiting.set(roundId, this.#ports.after(ROUND_EVERY_MS, show));
    }
    return turned;
  }

  #showRound(driver: RoundDriver): void {
    const { runId, roundId } = driver.state.facts;
    this.#waiting.get(roundId)?.();
    this.#waiting.delete(roundId);
    if (isLive(driver.state)) this.#shown.set(roundId, driver.state.phase);
    else this.#shown.delete(roundId);
    this.#ports.broadcast.publish("round", runId, driver.views().view);
  }

  /** Of a round that is over: what its evaluation brought. */
  figures(view: RoundView): void {
    this.#ports.broadcast.publish("round", view.runId, view);
  }

  close(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}

export function runEventStream(run: RunDriver): StreamId {
  return { kind: "run", id: run.runId };
}
