import type { RoundView, RunView } from "#shared/protocol/api.ts";
import { isLive } from "#shared/round/state.ts";
import type { CoordinatorPorts, PublishedOf, StoredNote } from "../ports/ports.ts";
import type { RoundDriver } from "../rounds/round-driver.ts";
import { eventView } from "../views/event-view.ts";
import type { RunDriver } from "./run-driver.ts";

/** A living round is shown at most this often, and immediately when its phase changes. */
const ROUND_EVERY_MS = 1_000;
/** A waiting run is shown at most this often, as devices come and go. */
const RUN_EVERY_MS = 1_000;

/** Publishes live updates to dashboards. */
export class Publisher {
  readonly #ports: Pick<CoordinatorPorts, "broadcast" | "after">;
  readonly #waiting = new Map<string, () => void>();
  readonly #shown = new Map<string, RoundView["phase"]>();

  constructor(ports: Pick<CoordinatorPorts, "broadcast" | "after">) {
    this.#ports = ports;
  }

  run(projectId: string, view: RunView): void {
    this.#ports.broadcast.publish("run", { runId: view.runId, projectId }, view);
  }

  /**
   * Shows a run that changes often in small ways, at most once a second.
   *
   * @param newest  The run's driver at that time, which differs if the run was reloaded; undefined if it has
   *                ended.
   */
  runSoon(runId: string, newest: () => RunDriver | undefined): void {
    if (this.#waiting.has(runId)) return;
    const show = () => {
      this.#waiting.delete(runId);
      const run = newest();
      if (run !== undefined) this.run(run.projectId, run.view());
    };
    this.#waiting.set(runId, this.#ports.after(RUN_EVERY_MS, show));
  }

  event(of: PublishedOf, note: StoredNote): void {
    this.#ports.broadcast.publish("event", of, eventView(note));
  }

  /**
   * @param newest  Driver of the run's newest round, for a delayed update.
   * @returns Whether the phase has changed since the round was last shown.
   */
  round(projectId: string, driver: RoundDriver, newest: () => RoundDriver | null | undefined): boolean {
    const { roundId } = driver.state.facts;
    const turned = this.#shown.get(roundId) !== driver.state.phase;
    if (turned) this.#showRound(projectId, driver);
    else if (!this.#waiting.has(roundId)) {
      const show = () => {
        this.#waiting.delete(roundId);
        const round = newest();
        // Missing while a reloaded run has not read its round yet.
        if (round?.state.facts.roundId === roundId) this.#showRound(projectId, round);
      };
      this.#waiting.set(roundId, this.#ports.after(ROUND_EVERY_MS, show));
    }
    return turned;
  }

  #showRound(projectId: string, driver: RoundDriver): void {
    const { runId, roundId } = driver.state.facts;
    this.#waiting.get(roundId)?.();
    this.#waiting.delete(roundId);
    if (isLive(driver.state)) this.#shown.set(roundId, driver.state.phase);
    else this.#shown.delete(roundId);
    this.#ports.broadcast.publish("round", { runId, projectId }, driver.views().view);
  }

  /** Shows a finished round with its evaluation's figures. */
  figures(projectId: string, view: RoundView): void {
    this.#ports.broadcast.publish("round", { runId: view.runId, projectId }, view);
  }

  close(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}
