import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {
  InputRow,
  Page,
  RunRow,
  Store,
  StoredEvent,
  StoreRecord,
  StreamId,
} from "#coordinator/core/ports.ts";
import type { Task } from "#shared/task/task.ts";

/*
 * What every implementation of `Store` does: memory, the embedded database, PostgreSQL. Each test uses ids of its own,
 * so that one store serves them all.
 */

let ids = 0;
const hex = (digits: number) => (++ids).toString(16).padStart(digits, "0");
const newRunId = () => hex(32);
const newRoundId = () => `f${hex(31)}`;
const newHash = () => hex(64);
const newSlug = () => `task-${hex(6)}`;

function event(sequence: number, body: unknown = { kind: "tick" }): StoredEvent {
  return { sequence, at: 1_700_000_000_000 + sequence, event: body };
}

function runRow(change: Partial<RunRow> = {}): RunRow {
  return {
    projectId: "default",
    task: "digits",
    taskVersion: 1,
    number: ++ids,
    state: "running",
    actor: "ada",
    createdAt: 1_700_000_000_000,
    view: { shown: true },
    ...change,
  };
}

const runRecord = (runId: string, change: Partial<RunRow> = {}): StoreRecord => ({
  type: "run-row",
  runId,
  row: runRow(change),
});
const roundRecord = (roundId: string, runId: string, round: number, phase = "recruiting"): StoreRecord => ({
  type: "round-row",
  roundId,
  row: { runId, round, phase, view: { round } },
});

function task(slug: string, version: number): Task {
  // The store never looks inside a task; its schema is tested elsewhere.
  return { slug, version, learns: "which digit is drawn", training: { epochs: 1 } } as unknown as Task;
}

/** All items of a list, page by page. */
async function collect<Item>(
  read: (page: Page) => Promise<{ readonly items: readonly Item[]; readonly next: string | null }>,
  limit: number,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await read({ limit, cursor });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    if (page.next === null) return items;
    cursor = page.next;
  }
}

export function storeContract(
  name: string,
  open: () => Promise<{ store: Store; end: () => Promise<void> }>,
): void {
  describe(name, () => {
    let store: Store;
    let end: () => Promise<void>;
    beforeAll(async () => {
      ({ store, end } = await open());
    });
    afterAll(() => end?.());

    async function append(
      stream: StreamId,
      sequence: number,
      records: readonly StoreRecord[] = [],
    ): Promise<void> {
      expect(await store.append(stream, event(sequence), records)).toEqual({ ok: true, value: undefined });
    }
    const runStream = (id = newRunId()): StreamId => ({ kind: "run", id });

    describe("streams", () => {
      test("give back what was appended, in order", async () => {
        const stream = runStream();
        const bodies = [
          { kind: "started", list: [1, [2]], text: 'a"b\\c\u0000\u2028é' },
          { deep: { x: null } },
        ];
        for (const [index, body] of bodies.entries()) await store.append(stream, event(index + 1, body), []);
        const stored = await store.readStream(stream);
        expect(stored).toEqual(bodies.map((body, index) => event(index + 1, body)));
        expect(await store.readStream(runStream())).toEqual([]);
      });

      test("refuse a sequence that is taken, and write none of its records", async () => {
        const runId = newRunId();
        await append(runStream(runId), 1, [runRecord(runId, { state: "queued" })]);
        const late = await store.append(runStream(runId), event(1, { kind: "late" }), [
          runRecord(runId, { state: "failed" }),
          { type: "audit-leaf", kind: "late.leaf", body: {} },
        ]);
        expect(late).toEqual({ ok: false, error: { type: "sequence-taken" } });
        expect((await store.findRun(runId))?.state).toBe("queued");
        expect(await store.readStream(runStream(runId))).toHaveLength(1);
        const leaves = await collect((page) => store.auditLeaves(page), 50);
        expect(leaves.map((leaf) => leaf.kind)).not.toContain("late.leaf");
      });

      test("have no gaps: a sequence that skips one is a fault", async () => {
        const stream = runStream();
        await append(stream, 1);
        await expect(store.append(stream, event(3), [])).rejects.toThrow(/follows 1/);
        expect(await store.readStream(stream)).toHaveLength(1);
      });

      test("of the same id are two, one a kind", async () => {
        const id = newRunId();
        await append({ kind: "run", id }, 1);
        await append({ kind: "round", id }, 1);
        expect(await store.readStream({ kind: "round", id })).toHaveLength(1);
      });

      test("take one of many writers who race for a sequence", async () => {
        const stream = runStream();
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, writer) => store.append(stream, event(1, { writer }), [])),
        );
        expect(results.filter((result) => result.ok)).toHaveLength(1);
        const winner = results.findIndex((result) => result.ok);
        expect(await store.readStream(stream)).toEqual([event(1, { writer: winner })]);
      });

      test("write nothing at all where one record cannot be written", async () => {
        const runId = newRunId();
        const records: StoreRecord[] = [
          runRecord(runId),
          { type: "audit-leaf", kind: "half.leaf", body: {} },
          { type: "close-slots", sid: newHash(), kept: [1] },
        ];
        await expect(store.append(runStream(runId), event(1), records)).rejects.toThrow(/does not have/);
        expect(await store.findRun(runId)).toBeNull();
        expect(await store.readStream(runStream(runId))).toEqual([]);
        const leaves = await collect((page) => store.auditLeaves(page), 50);
        expect(leaves.map((leaf) => leaf.kind)).not.toContain("half.leaf");
      });
    });

    describe("runs and rounds", () => {
      test("a row is what it was last said to be; who made it stays", async () => {
        const runId = newRunId();
        const row = runRow({ state: "queued" });
        await append(runStream(runId), 1, [{ type: "run-row", runId, row }]);
        await append(runStream(runId), 2, [
          { type: "run-row", runId, row: { ...row, state: "running", view: [1, 2] } },
        ]);
        expect(await store.findRun(runId)).toEqual({ ...row, state: "running", view: [1, 2] });
        expect(await store.findRun(newRunId())).toBeNull();
      });

      test("open runs are those that have not ended", async () => {
        const states = ["queued", "running", "paused", "stopping", "completed", "failed"];
        const runIds = new Map<string, string>();
        for (const state of states) {
          const runId = newRunId();
          runIds.set(state, runId);
          await append(runStream(runId), 1, [runRecord(runId, { state })]);
        }
        const open = await store.openRunIds();
        expect(states.filter((state) => open.includes(runIds.get(state) ?? ""))).toEqual([
          "queued",
          "running",
          "paused",
          "stopping",
        ]);
      });

      test("are listed newest first, by task and in pages", async () => {
        const slug = newSlug();
        const created = [5, 9, 7, 9, 1];
        const runs: { runId: string; createdAt: number }[] = [];
        for (const createdAt of created) {
          const runId = newRunId();
          runs.push({ runId, createdAt });
          await append(runStream(runId), 1, [runRecord(runId, { task: slug, createdAt })]);
        }
        await append(runStream(), 1, [runRecord(newRunId(), { task: newSlug(), createdAt: 8 })]);
        const listed = await collect((page) => store.listRuns({ task: slug }, page), 2);
        expect(listed.map((run) => run.createdAt)).toEqual([9, 9, 7, 5, 1]);
        expect(new Set(listed.map((run) => run.runId))).toEqual(new Set(runs.map((run) => run.runId)));
        const everyone = await collect((page) => store.listRuns({}, page), 7);
        expect(everyone.length).toBeGreaterThan(listed.length);
        expect(new Set(everyone.map((run) => run.runId)).size).toBe(everyone.length);
      });

      test("numbers count the runs of a task from 1, each given once", async () => {
        const slug = newSlug();
        expect(await store.nextRunNumber(slug)).toBe(1);
        const numbers = await Promise.all(Array.from({ length: 5 }, () => store.nextRunNumber(slug)));
        expect(new Set(numbers)).toEqual(new Set([2, 3, 4, 5, 6]));
        expect(await store.nextRunNumber(newSlug())).toBe(1);
      });

      test("rounds are listed in their order", async () => {
        const runId = newRunId();
        const roundIds = new Map<number, string>();
        for (const round of [2, 1, 10, 3]) {
          const roundId = newRoundId();
          roundIds.set(round, roundId);
          await append({ kind: "round", id: roundId }, 1, [roundRecord(roundId, runId, round)]);
        }
        await append({ kind: "round", id: roundIds.get(10) ?? "" }, 2, [
          roundRecord(roundIds.get(10) ?? "", runId, 10, "committed"),
        ]);
        const rounds = await collect((page) => store.listRounds(runId, page), 3);
        expect(rounds.map((row) => row.round)).toEqual([1, 2, 3, 10]);
        expect(rounds[3]).toEqual({
          roundId: roundIds.get(10),
          runId,
          round: 10,
          phase: "committed",
          view: { round: 10 },
        });
        expect(await store.findRound(roundIds.get(2) ?? "")).toEqual({
          runId,
          round: 2,
          phase: "recruiting",
          view: { round: 2 },
        });
        expect(await store.findRound(newRoundId())).toBeNull();
      });

      test("events of a run and of its rounds are listed newest first", async () => {
        const runId = newRunId();
        const roundId = newRoundId();
        const other = newRunId();
        await append(runStream(runId), 1, [runRecord(runId)]);
        await append({ kind: "round", id: roundId }, 1, [roundRecord(roundId, runId, 1)]);
        await append(runStream(other), 1, [runRecord(other)]);
        await append({ kind: "round", id: roundId }, 2);
        await append(runStream(runId), 2);
        const events = await collect((page) => store.listEvents(runId, page), 3);
        expect(events.map(({ stream, stored }) => `${stream.kind} ${stream.id} ${stored.sequence}`)).toEqual([
          `run ${runId} 2`,
          `round ${roundId} 2`,
          `round ${roundId} 1`,
          `run ${runId} 1`,
        ]);
        expect(events[0]?.stored).toEqual(event(2));
      });

      test("a cursor that no page gave is the end of the list, not an error", async () => {
        const runId = newRunId();
        const roundId = newRoundId();
        await append(runStream(runId), 1, [runRecord(runId)]);
        await append({ kind: "round", id: roundId }, 1, [roundRecord(roundId, runId, 1)]);
        for (const cursor of [
          "",
          "x",
          "-1",
          "1e400",
          "99999999999999999999",
          "' or 1=1",
          "\u0000",
          "../..",
        ]) {
          for (const list of [
            store.listRuns({}, { limit: 5, cursor }),
            store.listRounds(runId, { limit: 5, cursor }),
            store.listEvents(runId, { limit: 5, cursor }),
          ]) {
            expect(await list).toEqual({ items: [], next: null });
          }
          await store.listTasks({ limit: 5, cursor });
          await store.auditLeaves({ limit: 5, cursor });
        }
      });
    });

    describe("tasks", () => {
      test("are fixed once made, found by version or newest, and listed newest version only", async () => {
        const [first, second] = [newSlug(), newSlug()];
        for (const [slug, version] of [
          [first, 1],
          [first, 2],
          [second, 1],
        ] as const) {
          expect((await store.createTask(task(slug, version), newHash(), "ada", 1000)).ok).toBe(true);
        }
        const again = await store.createTask(task(first, 2), newHash(), "eve", 2000);
        expect(again).toEqual({ ok: false, error: { type: "exists" } });
        expect(await store.findTask(first)).toMatchObject({
          task: task(first, 2),
          actor: "ada",
          createdAt: 1000,
        });
        expect((await store.findTask(first, 1))?.task).toEqual(task(first, 1));
        expect(await store.findTask(first, 3)).toBeNull();
        expect(await store.findTask(newSlug())).toBeNull();
        const listed = await collect((page) => store.listTasks(page), 1);
        const versions = listed.map((stored) => [stored.task.slug, stored.task.version]);
        expect(versions).toEqual(
          expect.arrayContaining([
            [first, 2],
            [second, 1],
          ]),
        );
        expect(listed.filter((stored) => stored.task.slug === first)).toHaveLength(1);
      });
    });

    describe("models and leaves", () => {
      test("the first offer and the first opening of a model stand", async () => {
        const [first, second] = [newRunId(), newRunId()];
        const modelHash = newHash();
        const [sid, later] = [newHash(), newHash()];
        expect(await store.findOffer(modelHash)).toBeNull();
        await append(runStream(first), 1, [{ type: "model-offered", modelHash, runId: first }]);
        expect(await store.findOffer(modelHash)).toEqual({ runId: first, openedSid: null });
        await append(runStream(second), 1, [{ type: "model-offered", modelHash, runId: second }]);
        await append(runStream(first), 2, [{ type: "model-opened", modelHash, sid }]);
        await append(runStream(second), 2, [{ type: "model-opened", modelHash, sid: later }]);
        expect(await store.findOffer(modelHash)).toEqual({ runId: first, openedSid: sid });
      });

      test("versions stand in the order of their rounds; metrics may follow, the model does not change", async () => {
        const runId = newRunId();
        const version = (
          round: number,
          metrics: unknown,
          modelHash = `${round}`.repeat(64),
        ): StoreRecord => ({
          type: "model-version",
          version: { runId, round, modelHash, parentHash: null, strategyStateHash: null, metrics },
        });
        await append(runStream(runId), 1, [version(1, null), version(0, { accuracy: 0.1 })]);
        await append(runStream(runId), 2, [version(1, { accuracy: 0.5 })]);
        const versions = await store.listModelVersions(runId);
        expect(versions.map((row) => [row.round, row.metrics])).toEqual([
          [0, { accuracy: 0.1 }],
          [1, { accuracy: 0.5 }],
        ]);
        await expect(store.append(runStream(runId), event(3), [version(1, {}, newHash())])).rejects.toThrow(
          /another model/,
        );
        expect((await store.listModelVersions(runId))[1]?.modelHash).toBe("1".repeat(64));
      });

      test("leaves are numbered from 1 without a gap, whoever writes at once", async () => {
        const leaf = (writer: number): StoreRecord => ({
          type: "audit-leaf",
          kind: "round.opened",
          body: { z: 1, a: [writer] },
        });
        await Promise.all(
          Array.from({ length: 6 }, async (_, writer) => {
            const stream = runStream();
            await append(stream, 1, [leaf(writer), leaf(writer)]);
            // A writer that fails in between takes no number with it.
            await store.append(stream, event(1), [leaf(writer)]);
          }),
        );
        const leaves = await collect((page) => store.auditLeaves(page), 5);
        expect(leaves.map((row) => row.sequence)).toEqual(leaves.map((_, index) => index + 1));
        expect(leaves.length).toBeGreaterThanOrEqual(12);
        // Two leaves of one event stand side by side.
        const ours = leaves
          .filter((row) => row.kind === "round.opened")
          .map((row) => JSON.stringify(row.body));
        for (let index = 0; index < ours.length; index += 2) expect(ours[index]).toBe(ours[index + 1]);
      });
    });

    describe("material", () => {
      test("is saved once for a step and position, byte for byte", async () => {
        const sid = newHash();
        const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
        expect(await store.saveMaterial(sid, "share", 3, bytes)).toBe("saved");
        expect(await store.saveMaterial(sid, "share", 3, bytes.slice())).toBe("same");
        expect(await store.saveMaterial(sid, "share", 3, bytes.slice(1))).toBe("different");
        expect(await store.saveMaterial(sid, "share", 3, bytes.toReversed())).toBe("different");
        expect(await store.saveMaterial(sid, "unmask", 3, Uint8Array.of(1))).toBe("saved");
        expect(await store.saveMaterial(sid, "share", 1, new Uint8Array(0))).toBe("saved");
        const shares = await store.loadMaterial(sid, "share");
        expect(new Set(shares.keys())).toEqual(new Set([1, 3]));
        expect(shares.get(3)).toStrictEqual(bytes);
        expect(Object.getPrototypeOf(shares.get(3))).toBe(Uint8Array.prototype);
      });

      test("is deleted for one session only", async () => {
        const [gone, kept] = [newHash(), newHash()];
        for (const sid of [gone, kept]) await store.saveMaterial(sid, "share", 1, Uint8Array.of(7));
        await store.deleteMaterial(gone);
        expect((await store.loadMaterial(gone, "share")).size).toBe(0);
        expect((await store.loadMaterial(kept, "share")).size).toBe(1);
      });
    });

    describe("transcripts", () => {
      const transcriptOf = (change: { readonly sid?: string; readonly shard?: number } = {}) => {
        const { sid = newHash(), shard = 0 } = change;
        return { sid, roundId: newRoundId(), task: newSlug(), shard, bytes: Uint8Array.of(0, 255, 7) };
      };
      const listed = async () => (await store.listTranscripts()).map(({ sid }) => sid);

      test("[A5] are kept once, by round and shard, and listed newest first", async () => {
        const [older, newer] = [transcriptOf(), transcriptOf({ shard: 3 })];
        for (const one of [older, newer, older]) await store.saveTranscript(one);
        expect(await store.loadTranscript(older.roundId, 0)).toStrictEqual(older);
        expect(await store.loadTranscript(newer.roundId, 3)).toStrictEqual(newer);
        expect(await store.loadTranscript(newer.roundId, 0)).toBeNull();
        expect(await store.findTranscript(newer.roundId, 3)).toBe(newer.sid);
        expect(await store.findTranscript(newer.roundId, 0)).toBeNull();
        expect((await listed()).slice(0, 2)).toEqual([newer.sid, older.sid]);
        const { bytes: _, ...rest } = newer;
        expect((await store.listTranscripts())[0]).toEqual(rest);
      });

      test("[A5] openings take the place of the session's material, and go with their transcript", async () => {
        const transcript = transcriptOf();
        const { sid } = transcript;
        await store.saveTranscript(transcript);
        for (const step of ["share", "unmask"] as const)
          await store.saveMaterial(sid, step, 1, Uint8Array.of(9));
        const sealed = new Map([
          [7, Uint8Array.of(1, 2)],
          [2, Uint8Array.of(3)],
        ]);
        await store.keepOpenings(sid, sealed);
        // After a crash there is no material left to seal, and what was sealed stays.
        await store.keepOpenings(sid, new Map());
        expect([...(await store.loadOpenings(sid))]).toStrictEqual([
          [2, Uint8Array.of(3)],
          [7, Uint8Array.of(1, 2)],
        ]);
        expect((await store.loadMaterial(sid, "unmask")).size).toBe(0);
        expect((await store.loadMaterial(sid, "share")).size).toBe(0);
        await store.deleteTranscript(sid);
        expect((await store.loadOpenings(sid)).size).toBe(0);
        expect(await store.loadTranscript(transcript.roundId, 0)).toBeNull();
        expect(await listed()).not.toContain(sid);
      });

      test("openings without a transcript are a fault", async () => {
        await expect(store.keepOpenings(newHash(), new Map([[1, Uint8Array.of(1)]]))).rejects.toThrow();
      });
    });

    describe("uploads", () => {
      async function openSession(count = 3): Promise<string> {
        const sid = newHash();
        const slots = Array.from({ length: count }, (_, index) => ({
          position: index + 1,
          slotHash: `a${index}`.repeat(32),
        }));
        await append(runStream(), 1, [{ type: "open-slots", sid, byteCount: 400, slots }]);
        return sid;
      }
      const input = (sid: string, position: number, sha256 = newHash()): InputRow => ({
        sid,
        position,
        sha256,
        root: newHash(),
        signature: "ab".repeat(64),
        byteCount: 400,
      });
      const close = (sid: string, kept: readonly number[]) =>
        append(runStream(), 1, [{ type: "close-slots", sid, kept }]);

      test("a slot is known until its session closes", async () => {
        const sid = await openSession();
        expect(await store.findSlot(sid, 2)).toEqual({
          slotHash: "a1".repeat(32),
          byteCount: 400,
          open: true,
        });
        expect(await store.findSlot(sid, 4)).toBeNull();
        expect(await store.findSlot(newHash(), 1)).toBeNull();
        await close(sid, []);
        expect((await store.findSlot(sid, 2))?.open).toBe(false);
      });

      test("an input counts once: the same again gets its receipt, another is a conflict", async () => {
        const sid = await openSession();
        const first = input(sid, 1);
        const receipt = { sid, position: 1, sha256: first.sha256, byteCount: 400 };
        expect(await store.acceptInput(first)).toEqual({ ok: true, value: receipt });
        expect(await store.acceptInput(first)).toEqual({ ok: true, value: receipt });
        expect(await store.acceptInput(input(sid, 1))).toEqual({ ok: false, error: { type: "conflict" } });
        expect(await store.listInputs(sid)).toEqual([first]);
      });

      test("after the sealing nothing new is taken, and only the kept are left", async () => {
        const sid = await openSession();
        const [second, third] = [input(sid, 2), input(sid, 3)];
        for (const row of [third, second]) expect((await store.acceptInput(row)).ok).toBe(true);
        await close(sid, [2]);
        expect(await store.listInputs(sid)).toEqual([second]);
        expect(await store.acceptInput(input(sid, 1))).toEqual({ ok: false, error: { type: "closed" } });
        expect(await store.acceptInput(third)).toEqual({ ok: false, error: { type: "closed" } });
        expect((await store.acceptInput(second)).ok).toBe(true);
        expect(await store.listInputs(sid)).toEqual([second]);
      });

      test("an unknown session or position is closed", async () => {
        const sid = await openSession();
        for (const row of [input(sid, 9), input(newHash(), 1)]) {
          expect(await store.acceptInput(row)).toEqual({ ok: false, error: { type: "closed" } });
        }
      });

      test("a survivor set holds accepted inputs only", async () => {
        const sid = await openSession();
        await store.acceptInput(input(sid, 1));
        const closing: StoreRecord = { type: "close-slots", sid, kept: [1, 2] };
        await expect(store.append(runStream(), event(1), [closing])).rejects.toThrow(/does not have:? 2/);
        expect((await store.findSlot(sid, 1))?.open).toBe(true);
      });

      test("inputs that race with the sealing are in before it or refused, never lost", async () => {
        for (let attempt = 0; attempt < 5; attempt++) {
          const sid = await openSession(12);
          await store.acceptInput(input(sid, 1));
          const racing = Array.from({ length: 11 }, (_, index) => store.acceptInput(input(sid, index + 2)));
          const sealing = close(sid, [1]);
          const results = await Promise.all(racing);
          await sealing;
          // What was taken before the sealing was dropped by it, since it is not kept; nothing came in after.
          expect((await store.listInputs(sid)).map((row) => row.position)).toEqual([1]);
          for (const result of results) if (!result.ok) expect(result.error.type).toBe("closed");
        }
      });
    });

    describe("small facts", () => {
      test("a join token is used as often as it was made for, and not after its time", async () => {
        const tokenHash = newHash();
        await store.putJoinToken(tokenHash, 3, 1000);
        expect(await store.useJoinToken(tokenHash, 1000)).toBe(false);
        const uses = await Promise.all(Array.from({ length: 6 }, () => store.useJoinToken(tokenHash, 999)));
        expect(uses.filter(Boolean)).toHaveLength(3);
        expect(await store.useJoinToken(newHash(), 0)).toBe(false);
      });

      test("a setting keeps its first value", async () => {
        const name = `setting-${newSlug()}`;
        expect(await store.getSetting(name)).toBeNull();
        const values = await Promise.all(["a", "b", "c"].map((value) => store.putSettingOnce(name, value)));
        expect(new Set(values).size).toBe(1);
        expect(await store.putSettingOnce(name, "d")).toBe(values[0]);
        expect(await store.getSetting(name)).toBe(values[0]);
      });

      test("a device may be noted again, and the database answers", async () => {
        const identity = newHash();
        await store.noteDevice(identity, 1);
        await store.noteDevice(identity, 2);
        await store.ping();
      });

      test("characters that mean something to SQL are only characters", async () => {
        const text = "x'; drop table event; -- %_\\ \"";
        await store.putSettingOnce(text, text);
        expect(await store.getSetting(text)).toBe(text);
        const runId = newRunId();
        await append(runStream(runId), 1, [runRecord(runId, { actor: text, view: { text } })]);
        expect(await store.findRun(runId)).toMatchObject({ actor: text, view: { text } });
      });
    });
  });
}
