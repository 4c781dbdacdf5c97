import { beforeAll, describe, expect, test } from "vitest";
import { namelessLog } from "#shared/audit/nameless-log.ts";
import { statementsOn } from "#shared/audit/statements.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { type LogRow, replayRound } from "#shared/round/log.ts";
import type { RoundState } from "#shared/round/state.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { evidenceOf, withEntry } from "#test/kit/worlds/audited-round.ts";
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

const GROUPS = {
  goal: 20,
  overSelection: 1.5,
  cohortSizeMin: 3,
  cohortSizeMax: 40,
  graph: { kind: "shards", size: 8 },
} as const;
const SPARSE = {
  securityModel: "honest-but-curious",
  graph: { kind: "k-regular", corruptShare: 0.02, dropoutShare: 0.05 },
} as const;

describe.each([
  ["groups", 30, "shards 19", GROUPS],
  ["a sparse graph", 40, "sparse", SPARSE],
] as const)("[A62] a round of %s", (_name, devices, seed, task) => {
  let rows: readonly LogRow[];
  let federation: Federation;
  let record: RoundDetail;
  beforeAll(async () => {
    const primitives = await selectPrimitives(globalThis.crypto.subtle);
    const auditorKey = await primitives.x25519PublicKey(seededRandom("auditor")(32));
    federation = await Federation.create({ devices, seed, task, keeping: { rounds: 1, auditorKey } });
    federation.connectAll();
    present(federation.devices[2], "a device").goneBefore = "input";
    const runId = await federation.launch(1);
    await federation.ended(runId);
    record = present((await federation.rounds(runId))[0], "a round");
    rows = await federation.ports.store.readStream({ kind: "round", id: record.roundId });
  }, 120_000);

  test("replays without names to the same phases, counts, sets, seats and holders", () => {
    const nameless = namelessLog(rows);
    assert(nameless.ok, "the log reads");
    const [own, other] = [replayRound(rows), replayRound(nameless.value)];
    assert(own.ok && other.ok, "both replay");
    expect(shown(own.value).phase).toBe("committed");
    expect(shown(other.value)).toEqual(shown(own.value));
    const seats = (state: RoundState) =>
      "shards" in state ? { shards: state.shards, holders: state.holders } : null;
    expect(seats(own.value)).not.toBeNull();
    expect(seats(other.value)).toEqual(seats(own.value));
    const text = JSON.stringify(nameless.value);
    for (const { identity } of federation.devices) expect(text).not.toContain(identity);
  });

  test("does not replay to the same without what is given in place of keys", () => {
    const nameless = namelessLog(rows);
    assert(nameless.ok, "the log reads");
    const bare = JSON.parse(
      JSON.stringify(nameless.value)
        .replaceAll(/,"shard":\d+\}/g, "}")
        .replaceAll(/,"sids":\[[^\]]*\]/g, ""),
    ) as LogRow[];
    expect(JSON.stringify(bare)).not.toBe(JSON.stringify(nameless.value));
    const [own, other] = [replayRound(rows), replayRound(bare)];
    assert(own.ok, "it replays");
    const holdersIn = (state: RoundState) => ("shards" in state ? [state.shards, state.holders] : null);
    expect(other.ok ? holdersIn(other.value) : null).not.toEqual(holdersIn(own.value));
  });

  test("is audited like any other: each group's list, root and signatures, and a changed one is contradicted", async () => {
    const primitives = await selectPrimitives(globalThis.crypto.subtle);
    const evidence = await evidenceOf(primitives, federation, record);
    const verdicts = async (of: typeof evidence) =>
      Object.fromEntries((await statementsOn(primitives, of)).map(({ id, verdict }) => [id, verdict]));
    const said = {
      cohort: "checked",
      inputs: "checked",
      signed: "checked",
      sum: "checked",
      version: "checked",
    };
    expect(await verdicts(evidence)).toMatchObject(said);
    // Also without the transcripts, which only auditors read.
    expect(await verdicts({ ...evidence, signatures: "not-shown" })).toMatchObject({ inputs: "checked" });
    const flipped = "ab".repeat(32);
    const readers = { ...evidence, signatures: "not-shown" } as const;
    expect((await verdicts(withEntry(readers, "inputs.sealed", { merkleRoot: flipped })))["inputs"]).toBe(
      "contradicted",
    );
    expect((await verdicts(withEntry(readers, "survivors.signed", { u3: flipped })))["signed"]).toBe(
      "contradicted",
    );
    // An entry of a group that the round's own log does not have.
    if (task.graph.kind === "shards")
      expect((await verdicts(withEntry(readers, "survivors.signed", { shard: 99 })))["signed"]).toBe(
        "contradicted",
      );
  });
});

test("[A62] damaged rows are an error with their sequence", () => {
  expect(namelessLog([{ sequence: 1, event: null }])).toMatchObject({ ok: false, error: { sequence: 1 } });
  expect(namelessLog([])).toMatchObject({ ok: false, error: { type: "empty" } });
});
