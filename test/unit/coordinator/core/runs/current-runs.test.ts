import { expect, test } from "vitest";
import { CurrentRuns, ENDED_RUNS_KEPT } from "#coordinator/core/runs/current-runs.ts";

/* A task's current run, and how long ended runs are remembered. */

test("[R20] every active run and the newest ended ones are kept", () => {
  const runs = new CurrentRuns<{ ended: boolean }>();
  const active = { ended: false };
  runs.set("active", active);
  for (let index = 0; index < 3 * ENDED_RUNS_KEPT; index++) {
    const run = { ended: false };
    runs.set(`task-${index}`, run);
    run.ended = true;
    runs.ended(`task-${index}`);
    // This does not make the others older.
    runs.ended("active");
  }
  expect(runs.all().length).toBe(ENDED_RUNS_KEPT + 1);
  expect(runs.get("active")).toBe(active);
  expect(runs.get("task-0")).toBeNull();
  expect(runs.get(`task-${2 * ENDED_RUNS_KEPT - 1}`)).toBeNull();
  expect(runs.get(`task-${2 * ENDED_RUNS_KEPT}`)).not.toBeNull();
});

test("[R20] a phase is shown once, and only for the task's current run", () => {
  const runs = new CurrentRuns<{ ended: boolean }>();
  const [first, second] = [{ ended: false }, { ended: false }];
  runs.set("task", first);
  expect(runs.showPhase("task", first, "running")).toBe(true);
  expect(runs.showPhase("task", first, "running")).toBe(false);
  expect(runs.showPhase("task", first, "paused")).toBe(true);
  expect(runs.showPhase("task", second, "running")).toBe(false);
  runs.set("task", second);
  expect(runs.showPhase("task", second, "paused")).toBe(true);
});
