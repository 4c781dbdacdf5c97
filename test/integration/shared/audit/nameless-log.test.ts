import { expect, test } from "vitest";
import { namelessLog, replaysWithoutNames } from "#shared/audit/nameless-log.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type LogRow, replayRound } from "#shared/round/log.ts";
import type { RoundState } from "#shared/round/state.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

async function storedLog(devices: number): Promise<{ rows: readonly LogRow[]; federation: Federation }> {
  const federation = await Federation.create({ devices });
  federation.connectAll();
  const runId = await federation.launch(1);
  // One leaves before its input, so that the log has more than the straight path.
  present(federation.devices[2], "a device").goneBefore = "input";
  await federation.ended(runId);
  const [round] = await federation.rounds(runId);
  const id = present(round, "a round").roundId;
  return { federation, rows: await federation.ports.store.readStream({ kind: "round", id }) };
}

function shown(state: RoundState) {
  return {
    phase: state.phase,
    counts: state.counts,
    ends: state.phaseEndsMs,
    attempt: state.attempt,
    u2: "u2" in state ? state.u2 : [],
    u3: "u3" in state ? state.u3 : [],
    published: state.phase === "committed" ? state.publication : null,
  };
}

test("[A62] replayed without names, a round has the same phases, counts, sets and outcome", async () => {
  const { rows } = await storedLog(7);
  const nameless = namelessLog(rows);
  assert(nameless.ok, "the log reads");
  expect(replaysWithoutNames(nameless.value)).toBe(true);
  const [own, other] = [replayRound(rows), replayRound(nameless.value)];
  assert(own.ok && other.ok, "both replay");
  expect(shown(own.value).u3).toHaveLength(6);
  expect(shown(other.value)).toEqual(shown(own.value));
});

test("[A62] it holds no identity, key, signature or digest of a device", async () => {
  const { rows, federation } = await storedLog(5);
  const nameless = namelessLog(rows);
  assert(nameless.ok, "the log reads");
  const [stored, text] = [JSON.stringify(rows), JSON.stringify(nameless.value)];
  const own = new Set<string>();
  for (const { identity } of federation.devices) own.add(identity);
  for (const found of stored.matchAll(/"(?:c|s|bCommit|signature|digest|sha256)":"([^"]+)"/g))
    own.add(present(found[1], "a value"));
  expect(own.size).toBeGreaterThan(25);
  for (const value of own) {
    // The control: it is in what is stored.
    expect(stored).toContain(value);
    expect(text).not.toContain(value);
  }
});

test("[A62] damaged rows are an error with their sequence, and a round of groups shows no log", () => {
  expect(namelessLog([{ sequence: 1, event: null }])).toMatchObject({ ok: false, error: { sequence: 1 } });
  expect(replaysWithoutNames([])).toBe(false);
});
