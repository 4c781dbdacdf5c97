import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { launchRun, type RunState, stepRun } from "#shared/round/run.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";

/*
 * data/run-logs-0001.json: logs of runs as the coordinator wrote them while a round's publication still brought the
 * figures of its model and a run without devices gave up (commit 79021b0), with what the machine made of them. Made once,
 * frozen; people have such logs in their databases.
 */

interface Frozen {
  readonly name: string;
  readonly log: readonly { readonly at: number; readonly fact: RunLaunched | RunEvent }[];
  readonly end: Partial<RunState>;
}

const frozen = JSON.parse(
  await readFile(new URL("data/run-logs-0001.json", import.meta.url), "utf8"),
) as readonly Frozen[];

test.each(frozen.map(({ name, log, end }) => [name, log, end] as const))(
  "[R1] [E3] a log from before `evaluated` replays to the same end, with its figures: %s",
  (_name, log, end) => {
    let state = launchRun(log[0]?.fact as RunLaunched);
    for (const { fact } of log.slice(1)) {
      const after = stepRun(state, fact as RunEvent).state;
      expect(after).not.toBe(state);
      state = after;
    }
    expect(state).toMatchObject(end);
    expect([state.unevaluated, state.notEvaluated, state.ending]).toEqual([[], [], null]);
  },
);
