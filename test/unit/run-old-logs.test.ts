import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { assert } from "#shared/kernel/assert.ts";
import { replayRun } from "#shared/round/log.ts";
import type { RunState } from "#shared/round/run.ts";

/*
 * data/run-logs-0001.json: logs of runs as the coordinator wrote them while a round's publication still brought the
 * figures of its model and a run without devices gave up (commit 79021b0), with what the machine made of them. Made once,
 * frozen; people have such logs in their databases.
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
    // What that machine called accuracy and loss are measures by name now.
    const curve = state.curve.map(({ round, measures }) => ({ round, ...measures }));
    expect({ ...state, curve }).toMatchObject(end);
    expect([state.unevaluated, state.notEvaluated, state.ending]).toEqual([[], [], null]);
  },
);
