import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { type RoundLog, replayRound } from "#shared/round/replay.ts";
import type { RoundState } from "#shared/round/state.ts";

/*
 * data/round-logs-0001.json: logs as the machine wrote them before rounds could be split (commit 51f31f2), with what it
 * made of them: random schedules of the kit's cast. Made once, frozen; people have such logs in their databases.
 */

interface Frozen {
  readonly name: string;
  readonly log: RoundLog;
  /** What that machine said of its last state; null for what a state does not have. */
  readonly end: Readonly<Record<string, unknown>>;
}

const frozen = JSON.parse(
  await readFile(new URL("data/round-logs-0001.json", import.meta.url), "utf8"),
) as readonly Frozen[];

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

test.each(frozen.map(({ name, log, end }) => [name, log, end] as const))(
  "[R1] a log from before rounds were split replays to the same end: %s",
  (_name, log, end) => {
    const state = replayRound(log);
    expect(summary(state)).toEqual(end);
    expect(state.shardCount).toBe(1);
  },
);
