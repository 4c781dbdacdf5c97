import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { assert } from "#shared/kernel/assert.ts";
import { replayRound } from "#shared/round/log.ts";
import type { RoundState } from "#shared/round/state.ts";

/*
 * data/round-logs-0001.json: logs as the machine wrote them before rounds could be split (commit 51f31f2), with what it
 * made of them: random schedules of the kit's cast. data/round-logs-0002.json: from before those who are ready checked
 * in as one event and lots decided within a shard (commit 79021b0). Made once, frozen; people have such logs in their
 * databases.
 */

interface Frozen {
  readonly name: string;
  /** Facts of version 1, in rows that do not say so. */
  readonly log: readonly { readonly type: string; readonly identity?: string }[];
  /** What that machine said of its last state; null for what a state does not have. */
  readonly end: Readonly<Record<string, unknown>>;
}

async function frozenLogs(file: string): Promise<readonly Frozen[]> {
  return JSON.parse(await readFile(new URL(`data/${file}`, import.meta.url), "utf8")) as readonly Frozen[];
}

const beforeShards = await frozenLogs("round-logs-0001.json");
const beforeLots = await frozenLogs("round-logs-0002.json");

function replayed(log: Frozen["log"]): RoundState {
  const state = replayRound(log.map((fact, index) => ({ sequence: index + 1, event: { fact } })));
  assert(state.ok, `the log can be read: ${JSON.stringify(state)}`);
  return state.value;
}

function summary(state: RoundState): Frozen["end"] {
  const { phase, attempt, retriedFor, counts, phaseEndsMs, removed, forbiddenPairs } = state;
  return {
    ...{ phase, attempt, retriedFor, counts, phaseEndsMs, removed, forbiddenPairs },
    code: "code" in state ? state.code : null,
    roster: "roster" in state ? state.roster.map(({ identity }) => identity) : null,
    u2: "u2" in state ? state.u2 : null,
    u3: "u3" in state ? state.u3 : null,
  };
}

test.each(beforeShards.map(({ name, log, end }) => [name, log, end] as const))(
  "[R1] a log from before rounds were split replays to the same end: %s",
  (_name, log, end) => {
    const state = replayed(log);
    expect(summary(state)).toEqual(end);
    expect(state.shardCount).toBe(1);
  },
);

test.each(beforeLots.map(({ name, log, end }) => [name, log, end] as const))(
  "[R1] [R3] a log from before devices checked in together replays to the same end: %s",
  (_name, log, end) => {
    const state = replayed(log);
    expect({ ...summary(state), shardCount: state.shardCount }).toEqual(end);
  },
);

test("[R3] among those logs are some with a shard that chance had overfilled", () => {
  const seatedFewer = beforeLots.filter(({ log, end }) => {
    const advertised = new Set(log.flatMap((event) => (event.type === "advertised" ? event.identity : [])));
    return (end["roster"] as readonly string[]).length < advertised.size;
  });
  expect(seatedFewer.length).toBeGreaterThan(1);
});
