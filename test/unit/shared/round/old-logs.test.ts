import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { assert } from "#shared/kernel/assert.ts";
import { LOG_VERSION, replayRound, roundFactOf } from "#shared/round/log.ts";
import type { RoundState } from "#shared/round/state.ts";
import { committed } from "#test/kit/worlds/round-cast.ts";

/*
 * data/round-logs-0001.json: logs written by the machine before rounds could be split (commit 51f31f2), from random
 * schedules of the kit's cast, with the machine's results. data/round-logs-0002.json: from before ready devices checked
 * in as one event and lots were decided within a shard (commit 79021b0). Made once, frozen, because people have such
 * logs in their databases.
 */

interface Frozen {
  readonly name: string;
  /** Facts of version 1, in rows that do not name it. */
  readonly log: readonly { readonly type: string; readonly identity?: string }[];
  /** That machine's last state; null for properties that this state does not have. */
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

test("[R3] some of those logs have a shard that chance had overfilled", () => {
  const seatedFewer = beforeLots.filter(({ log, end }) => {
    const advertised = new Set(log.flatMap((event) => (event.type === "advertised" ? event.identity : [])));
    return (end["roster"] as readonly string[]).length < advertised.size;
  });
  expect(seatedFewer.length).toBeGreaterThan(1);
});

test("[R1] the accuracy on devices of version 4 is a measure by name, and a damaged one is refused", () => {
  const accuracy = { value: 0.6, halfWidth95: 0.2, count: 15 };
  const read = (version: number, figures: object) => {
    const combined = committed(1);
    assert(combined.type === "combined" && combined.result.kind === "committed", "a publication");
    const { deviceMeasures: _, ...rest } = combined.result.metrics;
    const fact = { ...combined, result: { ...combined.result, metrics: { ...rest, ...figures } } };
    return roundFactOf({ sequence: 2, event: { version, fact } });
  };
  const metricsOf = (figures: object) => ({ ok: true, value: { result: { metrics: figures } } });
  const before = { deviceAccuracyBefore: accuracy, deviceAccuracyAfter: null };
  expect(read(4, before)).toMatchObject(
    metricsOf({ deviceMeasures: { before: { accuracy }, after: {} }, updateNormL2: 1 }),
  );
  expect(read(4, { ...before, deviceAccuracyAfter: "0.6" })).toMatchObject({
    ok: false,
    error: { type: "malformed", path: expect.stringContaining("deviceMeasures.after.accuracy") },
  });
  expect(read(LOG_VERSION, before).ok).toBe(false);
});

test.each([
  ["confirmed", { position: 3, signature: "" }, { seat: 3 }],
  ["damaged", { positions: [2, 3] }, { seats: [2, 3] }],
] as const)("[R1] what version 3 called a position is a seat: %s", (type, before, after) => {
  const fact = { type, atMs: 1, attempt: 1, ...before };
  expect(roundFactOf({ sequence: 2, event: { version: 3, fact } })).toMatchObject({ ok: true, value: after });
  expect(roundFactOf({ sequence: 2, event: { version: 4, fact } }).ok).toBe(false);
});
