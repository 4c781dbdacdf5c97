import { beforeAll, describe, expect, test } from "vitest";
import type { LogReader } from "#coordinator/core/access/permissions.ts";
import { LogDesk } from "#coordinator/core/desks/log-desk.ts";
import type { PublicLog } from "#coordinator/core/ports/public-log.ts";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { ok } from "#shared/kernel/result.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { rotationBody } from "#shared/tlog/key-rotation.ts";
import { MemoryLog } from "#test/kit/tlog.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* Looking for entries in the log of a real federation, with a stand-in for what signs it. */

let primitives: Primitives;
let federation: Federation;
let rounds: readonly RoundDetail[];
let runId: string;
let log: MemoryLog;
let desk: LogDesk;

beforeAll(async () => {
  primitives = await selectPrimitives(globalThis.crypto.subtle);
  federation = await Federation.create({ devices: 5 });
  federation.connectAll();
  runId = await federation.launch(2);
  await federation.ended(runId);
  rounds = await federation.rounds(runId);
  log = new MemoryLog(primitives);
  desk = new LogDesk(federation.ports, signedUpTo(federation.db.leaves.length), federation.ports.store);
}, 60_000);

/** Only what the desk asks for. */
function signedUpTo(size: number): PublicLog {
  const none = () => Promise.reject(new Error("nobody asks"));
  return {
    key: { origin: log.origin, publicKey: log.publicKey },
    head: () => ({ size, root: new Uint8Array(32) }),
    state: () => ({ type: "starting" }),
    proof: async () => ok(await log.proof(null, [])),
    witnesses: () => [],
    rotations: () => [],
    checkpoint: () => null,
    file: none,
    find: none,
    covers: none,
    isHead: none,
  };
}

const EVERYONE: LogReader = { readable: ALL_READABLE, seesPeople: true, ownName: null };

const find = async (search: Parameters<LogDesk["listEntries"]>[0], limit = 100) =>
  (await desk.listEntries(search, { limit }, EVERYONE)).items;

test("[A66] without a filter, all signed entries come newest first, and the cursor goes on", async () => {
  const size = federation.db.leaves.length;
  const all = await find({});
  expect(all.map(({ index }) => index)).toEqual(Array.from({ length: size }, (_, at) => size - 1 - at));
  const first = await desk.listEntries({}, { limit: 3 }, EVERYONE);
  const second = await desk.listEntries({}, { limit: size, cursor: present(first.next, "more") }, EVERYONE);
  expect([...first.items, ...second.items]).toEqual(all);
  expect(second.next).toBeNull();
});

test("[A66] what is staged but not signed is no entry yet", async () => {
  const earlier = new LogDesk(federation.ports, signedUpTo(2), federation.ports.store);
  const { items } = await earlier.listEntries({}, { limit: 100 }, EVERYONE);
  expect(items.map(({ index }) => index)).toEqual([1, 0]);
  const none = new LogDesk(federation.ports, null, federation.ports.store);
  expect(await none.listEntries({}, { limit: 100 }, EVERYONE)).toEqual({ items: [], next: null });
  expect(await none.logView()).toBeNull();
});

describe("[A66] entries are found by", () => {
  test("kind, round, run and model, together", async () => {
    const [, second] = rounds;
    const { roundId, modelHash } = present(second, "round 2");
    const kinds = async (search: Parameters<typeof find>[0]) => (await find(search)).map(({ kind }) => kind);
    expect(await kinds({ round: roundId })).toEqual([
      "round.unmasked",
      "survivors.signed",
      "inputs.sealed",
      "cohort.sealed",
      "round.opened",
    ]);
    expect(await kinds({ round: roundId, kind: "round.opened" })).toEqual(["round.opened"]);
    expect(await kinds({ model: present(modelHash, "a model") })).toEqual(["model.published"]);
    const ofRun = await kinds({ run: runId });
    expect(ofRun.filter((kind) => kind === "round.opened")).toHaveLength(2);
    expect(ofRun.at(-1)).toBe("run.launched");
    expect(await kinds({ run: "ab".repeat(16) })).toEqual([]);
  });

  test("words of the entry and of what it is about, whatever their case", async () => {
    const { slug } = federation.task;
    const opened = await find({ text: `${slug.toUpperCase()} round 2 OPENED` });
    expect(opened.map(({ kind, place }) => [kind, place?.round, place?.runNumber])).toEqual([
      ["round.opened", 2, 1],
    ]);
    expect(await find({ text: "no such word" })).toEqual([]);
    for (const text of ["__proto__", "%", "_", "\\", "'"])
      expect(await find({ text })).toEqual(text === "_" ? [] : []);
  });

  test("whoever launched, and time; a launch names its run and person to its readers only", async () => {
    const [launch] = await find({ actor: "ADA", kind: "run.launched" });
    expect(launch).toMatchObject({ kind: "run.launched", actor: "ada", place: { runId, round: null } });
    const at = present(launch?.at, "a time");
    expect((await find({ from: at, to: at })).map(({ kind }) => kind)).toContain("run.launched");
    expect(await find({ to: at - 1_000_000 })).toEqual([]);
    const nobody: LogReader = { ...EVERYONE, readable: { projects: [], orPublic: true } };
    const [seen] = (await desk.listEntries({ kind: "run.launched" }, { limit: 9 }, nobody)).items;
    expect(seen).toMatchObject({ actor: null, place: null });
    expect((await desk.listEntries({ actor: "ada" }, { limit: 9 }, nobody)).items).toEqual([]);
  });
});

test("[A66] the log's key is the newest that it has handed over to", async () => {
  expect(await desk.logView()).toEqual({
    origin: log.origin,
    key: bytesToHex(log.publicKey),
    verifierKey: expect.stringMatching(/^log\.example\/1\+[0-9a-f]{8}\+[\w+/=]{44}$/),
    size: expect.any(Number),
    witnesses: [],
    witnessStates: [],
    rotations: [],
  });
  const next = localSigner(new Uint8Array(32).fill(9));
  const index = await log.add("log.keyRotated", await rotationBody(log.signer, log.origin, next.publicKey));
  log.signWith(next, index);
  expect(await desk.logView()).toMatchObject({ key: bytesToHex(next.publicKey), rotations: [index] });
});

describe("[A111] whose act an entry is", () => {
  const [reader, admin]: readonly LogReader[] = [
    { readable: { projects: ["default"], orPublic: false }, seesPeople: false, ownName: "bob" },
    EVERYONE,
  ];
  const actsBy = async (actor: string, by: LogReader = EVERYONE) =>
    (await wide.listEntries({ actor }, { limit: 100 }, by)).items.map((item) => [item.kind, item.actor]);
  let wide: LogDesk;
  beforeAll(async () => {
    const { store } = federation.ports;
    const stream = { kind: "access", id: "coordinator" } as const;
    for (const actor of ["eve", "bob"]) {
      const body = { version: 1, by: null };
      await store.appendNext(stream, { at: 5, event: { version: 1, fact: { actor } } }, [
        { type: "audit-leaf", kind: "token.revoked", body, actor },
      ]);
    }
    wide = new LogDesk(federation.ports, signedUpTo(federation.db.leaves.length), store);
  });

  test("is found for every act, not for launches alone", async () => {
    const kinds = (await find({ actor: "ada" })).map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["run.launched", "task.published"]));
    expect(await actsBy("eve")).toEqual([["token.revoked", "eve"]]);
  });

  test("is for people's acts said to whoever lists people, and to oneself", async () => {
    expect(await actsBy("eve", reader)).toEqual([]);
    expect(await actsBy("bob", reader)).toEqual([["token.revoked", "bob"]]);
    expect(await actsBy("bob", admin)).toEqual([["token.revoked", "bob"]]);
    const revoked = await wide.listEntries({ kind: "token.revoked" }, { limit: 9 }, reader ?? EVERYONE);
    expect(revoked.items.map(({ actor }) => actor)).toEqual(["bob", null]);
    // Nor do the words of a search tell.
    const worded = await wide.listEntries({ text: "eve token.revoked" }, { limit: 9 }, reader ?? EVERYONE);
    expect(worded.items).toEqual([]);
  });

  test("of other projects is not said", async () => {
    const other: LogReader = { ...EVERYONE, readable: { projects: ["other"], orPublic: true } };
    expect(await actsBy("ada", other)).toEqual([]);
  });
});

test("[A112] a search that fits rarely goes on over any number of entries", async () => {
  const { db } = federation;
  const { store } = federation.ports;
  await store.stageLeaves([{ kind: "run.stopAsked", body: { version: 1, runId } }], 9);
  const filler = Array.from({ length: 12_000 }, () => ({
    kind: "run.pauseAsked",
    body: { version: 1, runId: "0".repeat(32) },
  }));
  await store.stageLeaves(filler, 10);
  const large = new LogDesk(federation.ports, signedUpTo(db.leaves.length), store);
  let cursor: string | undefined;
  const found: number[] = [];
  let answerCount = 0;
  do {
    const page = await large.listEntries({ text: "stopasked" }, { limit: 50, cursor }, EVERYONE);
    found.push(...page.items.map(({ index }) => index));
    cursor = page.next ?? undefined;
    answerCount++;
  } while (cursor !== undefined);
  expect(found).toEqual([db.leaves.length - 12_001]);
  expect(answerCount).toBeGreaterThan(2);
});
