import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { assert } from "#shared/kernel/assert.ts";
import { replayRun } from "#shared/round/log.ts";
import type { RunState } from "#shared/round/run.ts";

/*
 * data/run-logs-0001.json: logs of runs from before figures were evaluated separately from a round's publication and
 * before a run waited for devices (commit 79021b0), with the machine's results. Made once, frozen, because people have
 * such logs in their databases.
 */

interface Frozen {
  readonly name: string;
  readonly log: readonly { readonly at: number; readonly fact: unknown }[];
  readonly end: Readonly<Partial<Record<keyof RunState, unknown>>>;
}

const frozen = JSON.parse(
  await readFile(new URL("data/run-logs-0001.json", import.meta.url), "utf8"),
) as readonly Frozen[];

test.each(frozen.map(({ name, log, end }) => [name, log, end] as const))(
  "[R1] [E3] a log from before `evaluated` replays to the same end, with its figures: %s",
  (_name, log, end) => {
    const replayed = replayRun(log.map(({ fact }, index) => ({ sequence: index + 1, event: { fact } })));
    assert(replayed.ok, `the log can be read: ${JSON.stringify(replayed)}`);
    const state = replayed.value;
    // That machine's accuracy and loss are measures by name now.
    const curve = state.curve.map(({ round, measures }) => ({ round, ...measures }));
    expect({ ...state, curve }).toMatchObject(end);
    expect([state.unevaluated, state.notEvaluated, state.ending]).toEqual([[], [], null]);
  },
);
