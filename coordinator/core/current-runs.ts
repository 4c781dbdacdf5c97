import type { RunState } from "#shared/round/run.ts";

/** Runs that have ended and whose devices may still ask how; the oldest are forgotten. */
export const ENDED_RUNS_KEPT = 64;

interface Current<Run> {
  readonly run: Run;
  /** Its phase as those behind it were last shown with. */
  shownPhase: RunState["phase"] | null;
}

/** By task: the active run, or the one that ended last. */
export class CurrentRuns<Run extends { readonly ended: boolean }> {
  /** Of those that have ended, the oldest first. */
  readonly #byTask = new Map<string, Current<Run>>();

  get(task: string): Run | null {
    return this.#byTask.get(task)?.run ?? null;
  }

  all(): Run[] {
    return [...this.#byTask.values()].map(({ run }) => run);
  }

  set(task: string, run: Run): void {
    this.#byTask.delete(task);
    this.#byTask.set(task, { run, shownPhase: null });
  }

  delete(task: string): void {
    this.#byTask.delete(task);
  }

  /** To be called when a run of this task has ended. */
  ended(task: string): void {
    const last = this.#byTask.get(task);
    if (last?.run.ended === true) this.set(task, last.run);
    const ended = [...this.#byTask].filter(([, { run }]) => run.ended);
    for (const [oldest] of ended.slice(0, -ENDED_RUNS_KEPT)) this.#byTask.delete(oldest);
  }

  /** True if those behind this run do not know yet that it is in this phase; they do then. */
  showPhase(task: string, run: Run, phase: RunState["phase"]): boolean {
    const current = this.#byTask.get(task);
    if (current?.run !== run || current.shownPhase === phase) return false;
    current.shownPhase = phase;
    return true;
  }
}
