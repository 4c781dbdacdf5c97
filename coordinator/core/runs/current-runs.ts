import type { RunState } from "#shared/round/run.ts";

/** Bound on ended runs whose devices may still ask for the outcome. The oldest are dropped. */
export const ENDED_RUNS_KEPT = 64;

interface Current<Run> {
  readonly run: Run;
  /** The phase last shown to the runs queued behind it. */
  shownPhase: RunState["phase"] | null;
}

/** Per task: the active run, or the last one that ended. */
export class CurrentRuns<Run extends { readonly ended: boolean }> {
  /** Ended runs are in order of their end. */
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

  /** Called when a run of this task has ended. */
  ended(task: string): void {
    const last = this.#byTask.get(task);
    if (last?.run.ended === true) this.set(task, last.run);
    const ended = [...this.#byTask].filter(([, { run }]) => run.ended);
    for (const [oldest] of ended.slice(0, -ENDED_RUNS_KEPT)) this.#byTask.delete(oldest);
  }

  /** True if the runs queued behind this one have not been shown this phase yet. Marks it as shown. */
  showPhase(task: string, run: Run, phase: RunState["phase"]): boolean {
    const current = this.#byTask.get(task);
    if (current?.run !== run || current.shownPhase === phase) return false;
    current.shownPhase = phase;
    return true;
  }
}
