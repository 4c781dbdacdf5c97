import { describe, expect, test } from "vitest";
import type { LeafQuery, LeafStore } from "#coordinator/core/ports/leaf-store.ts";
import type { EventLog, StoreRecord } from "#coordinator/core/ports/store.ts";
import { appendTo, event, newHash, newRunId, newSlug, type Opened, runStream, task } from "./rows.ts";

export function leafContract(opened: Opened<LeafStore & EventLog>): void {
  const append = appendTo(opened);
  const opening = (roundId: string, round = 1) => ({ version: 1, roundId, round });

  describe("[A34] leaves of the public log", () => {
    test("have the time of their event and are found by what they are about", async () => {
      const [one, other] = [newHash(), newHash()];
      const stream = runStream();
      await append(stream, 1, [{ type: "audit-leaf", kind: "round.opened", body: opening(one) }]);
      await append(stream, 2, [{ type: "audit-leaf", kind: "round.opened", body: opening(other) }]);
      const again = await opened.store.stageLeaves([{ kind: "round.opened", body: opening(one, 2) }], 77);
      const found = await opened.store.findLeaves("round.opened", one);
      expect(found).toEqual([
        { sequence: expect.any(Number), kind: "round.opened", at: event(1).at, body: opening(one) },
        { sequence: again, kind: "round.opened", at: 77, body: opening(one, 2) },
      ]);
      expect(await opened.store.findLeaves("round.aborted", one)).toEqual([]);
      expect(await opened.store.findLeaves("round.opened", newHash())).toEqual([]);
      // A kind that nobody looks for, and one of no program.
      const slug = newSlug();
      await opened.store.stageLeaves([{ kind: "run.pauseAsked", body: { runId: slug } }], 78);
      await opened.store.stageLeaves([{ kind: "constructor", body: { slug } }], 78);
      expect(await opened.store.findLeaves("run.pauseAsked", slug)).toEqual([]);
      expect(await opened.store.findLeaves("constructor", slug)).toEqual([]);
    });

    test("are read in order from any size, and put back only at the end", async () => {
      const mark = newSlug();
      const leaves = [1, 2, 3].map((round) => ({ kind: mark, body: { round } }));
      const last = await opened.store.stageLeaves(leaves, 79);
      const rows = leaves.map((leaf, index) => ({ sequence: last - 2 + index, at: 79, ...leaf }));
      expect(await opened.store.leavesAfter(last - 3, 2)).toEqual(rows.slice(0, 2));
      expect(await opened.store.leavesAfter(last - 1, 9)).toEqual(rows.slice(2));
      expect(await opened.store.leavesAfter(last, 9)).toEqual([]);
      const lost = { sequence: last + 1, kind: mark, at: null, body: { round: 4 } };
      await opened.store.importLeaves([lost]);
      expect(await opened.store.leavesAfter(last, 9)).toEqual([lost]);
      await expect(opened.store.importLeaves([lost])).rejects.toThrow(/imported as another/);
      expect(await opened.store.leavesAfter(last, 9)).toEqual([lost]);
      await opened.store.importLeaves([]);
    });

    test("[A107] are put back before those that no head has, which move behind and are found there", async () => {
      const [mark, roundId] = [newSlug(), newHash()];
      const own = [1, 2, 3].map((round) => ({ kind: "round.opened", body: opening(roundId, round) }));
      const end = await opened.store.stageLeaves(own, 81);
      const lost = [1, 2].map((round, index) => {
        return { sequence: end - 2 + index, kind: mark, at: 80, body: { round } };
      });
      // Whoever is wrong about how many would move moves none.
      for (const wrong of [0, 2, 4])
        await expect(opened.store.importLeaves(lost, wrong)).rejects.toThrow(/imported as another/);
      await opened.store.importLeaves(lost, 3);
      const moved = own.map((leaf, index) => ({ sequence: end + index, at: 81, ...leaf }));
      expect(await opened.store.leavesAfter(end - 3, 9)).toEqual([...lost, ...moved]);
      expect(await opened.store.findLeaves("round.opened", roundId)).toEqual(moved);
      const next = await opened.store.stageLeaves([{ kind: mark, body: {} }], 82);
      expect(next).toBe(end + 3);
    });

    test("[A111] are found from the newest by kind, time and whoever decided, until that person is forgotten", async () => {
      const [kind, other, ada, eve] = [newSlug(), newSlug(), newSlug(), newSlug()];
      const stream = runStream();
      const leaf = (of: string, actor?: string) =>
        ({ type: "audit-leaf", kind: of, body: { version: 1 }, ...(actor && { actor }) }) as const;
      await append(stream, 1, [leaf(kind, ada)]);
      await append(stream, 2, [leaf(kind, eve)]);
      await append(stream, 3, [leaf(other, ada)]);
      await append(stream, 4, [leaf(kind)]);
      const all = { before: Number.MAX_SAFE_INTEGER, countMax: 9 };
      const found = async (query: Partial<LeafQuery>) =>
        (await opened.store.leavesBefore({ ...all, ...query })).map((one) => [one.kind, one.actor, one.at]);
      const [one, two, three, four] = [1, 2, 3, 4].map((sequence) => event(sequence).at);
      expect(await found({ kind })).toEqual([
        [kind, null, four],
        [kind, eve, two],
        [kind, ada, one],
      ]);
      const by = { actor: ada, projects: "all", besides: [] } as const;
      expect(await found({ by })).toEqual([
        [other, ada, three],
        [kind, ada, one],
      ]);
      expect(await found({ by, kind })).toEqual([[kind, ada, one]]);
      expect(await found({ by: { ...by, besides: [other] } })).toEqual([[kind, ada, one]]);
      const [newest] = await opened.store.leavesBefore({ ...all, by });
      expect(newest).toMatchObject({ projectId: expect.any(String), body: { version: 1 } });
      const [mine, others] = [newest?.projectId ?? "", newSlug()];
      expect(await found({ by: { ...by, projects: [mine, others] } })).toHaveLength(2);
      expect(await found({ by: { ...by, projects: [others] } })).toEqual([]);
      expect(await found({ by: { ...by, projects: [] } })).toEqual([]);
      expect(await found({ kind, from: two, to: two })).toEqual([[kind, eve, two]]);
      expect(await found({ kind, countMax: 1 })).toEqual([[kind, null, four]]);
      expect(await found({ by, before: newest?.sequence ?? 0 })).toEqual([[kind, ada, one]]);
      // Names are data: nothing in one is a pattern, and no leaf holds one.
      expect(await found({ by: { ...by, actor: "%" } })).toEqual([]);
      await append(stream, 5, [{ type: "actor-forgotten", actor: ada }]);
      expect(await found({ by })).toEqual([]);
      expect((await found({ kind })).map(([, actor]) => actor)).toEqual([null, eve, null]);
    });

    test("that the log could not take are never staged", async () => {
      const kind = newSlug();
      const body = { text: "x".repeat(65_536) };
      await expect(opened.store.stageLeaves([{ kind, body }], 80)).rejects.toThrow(/bytes/);
      const records = [{ type: "audit-leaf", kind, body } as const];
      await expect(opened.store.append(runStream(), [{ event: event(1), records }])).rejects.toThrow(/bytes/);
    });
  });

  describe("[A103] a change without its entry of the public log", () => {
    const [slug, modelHash, runId] = [newSlug(), newHash(), newRunId()];
    const version = { runId, round: 1, modelHash, parentHash: null, strategyStateHash: null, metrics: null };
    const row = {
      projectId: "default",
      task: task(slug, 1),
      taskHash: newHash(),
      actor: "ada",
      createdAt: 1,
    };
    const ofTask = { slug, taskVersion: 1, taskHash: row.taskHash };
    const champion = { number: 1, movedAt: 1, movedBy: "ada" };
    const archived = { at: "2026-11-30T12:00:00.000Z", by: "ada" };
    const published = { runId, round: 1, modelHash, parentHash: newHash() };
    const moved = { slug, alias: "champion", from: null, to: 1, gatesHash: newHash() };
    const leaf = (kind: string, body: object): StoreRecord => ({ type: "audit-leaf", kind, body });
    const settings = (changes: Extract<StoreRecord, { type: "task-settings" }>["changes"]): StoreRecord => {
      return { type: "task-settings", slug, changes };
    };
    const accessRow = (kind: "person" | "site" | "api-token"): StoreRecord => {
      return { type: "access-row", kind, id: newRunId(), body: { name: "ada" } };
    };
    /** By record: the entries that it owes, and others that say something else. */
    const owing: readonly (readonly [StoreRecord, readonly StoreRecord[], readonly StoreRecord[]])[] = [
      [
        { type: "task-row", row },
        [leaf("task.published", ofTask)],
        [
          leaf("task.published", { ...ofTask, taskVersion: 2 }),
          leaf("task.published", { ...ofTask, taskHash: newHash() }),
        ],
      ],
      [
        settings({ joining: "invitation" }),
        [leaf("config.changed", { slug, names: ["joining"] })],
        [leaf("config.changed", { slug, names: ["invitation"] }), leaf("task.published", ofTask)],
      ],
      [
        settings({ joining: "invitation", archived }),
        [leaf("config.changed", { slug, names: ["joining"] }), leaf("task.archived", ofTask)],
        [leaf("config.changed", { slug, names: ["joining"] })],
      ],
      [
        settings({ heldOut: null, archived }),
        [leaf("task.heldOutRemoved", { slug, mark: null }), leaf("task.archived", ofTask)],
        [
          leaf("task.heldOutSet", { slug, mark: newHash(), rowCount: 1 }),
          leaf("task.archived", { ...ofTask, slug: newSlug() }),
        ],
      ],
      [settings({ archived }), [leaf("task.archived", ofTask)], [leaf("task.published", ofTask)]],
      [
        { type: "model-version", version, numberedIn: slug },
        [leaf("model.published", published)],
        [
          leaf("model.published", { ...published, modelHash: newHash() }),
          leaf("model.published", { ...published, runId: newRunId() }),
          leaf("model.published", { ...published, round: 9 }),
        ],
      ],
      [
        { type: "model-alias", task: slug, alias: "champion", row: champion },
        [leaf("model.promoted", moved)],
        [
          leaf("model.notPromoted", moved),
          leaf("model.promoted", { ...moved, to: 2 }),
          leaf("model.promoted", { ...moved, slug: newSlug() }),
          leaf("model.aliasMoved", { ...moved, alias: "shadow" }),
          leaf("model.rolledBack", { ...moved, to: 9 }),
        ],
      ],
      [
        accessRow("person"),
        [leaf("role.given", { by: null, about: newHash(), role: { role: "admin" } })],
        [
          leaf("config.changed", { slug, names: [] }),
          leaf("token.made", { by: null, of: "api" }),
          leaf("deletion.performed", { what: "site", count: 1 }),
        ],
      ],
      [
        accessRow("site"),
        [leaf("site.revoked", { by: null })],
        [leaf("deletion.performed", { what: "transcripts", count: 1 }), leaf("role.given", { by: null })],
      ],
      [
        accessRow("api-token"),
        [leaf("token.made", { by: null, of: "api" })],
        [leaf("token.made", { by: null, of: "join" }), leaf("site.named", { by: null })],
      ],
    ];

    test.each(owing.map(([record, own, others]) => ({ type: record.type, record, own, others })))(
      "is not written: $type; with it, it is",
      async ({ record, own, others }) => {
        const { store } = opened;
        const stream = { kind: record.type === "task-row" ? "project" : "run", id: newRunId() } as const;
        const write = (records: readonly StoreRecord[]) =>
          store.appendNext(stream, { at: 1, event: {} }, records);
        for (const records of [[record], [record, ...others], ...others.map((other) => [record, other])])
          await expect(write(records)).rejects.toThrow(/without its entry of the public log/);
        // Nor does an entry of another event of the same write count.
        if (record.type !== "task-row")
          await expect(
            store.append(stream, [
              { event: event(1), records: own },
              { event: event(2), records: [record] },
            ]),
          ).rejects.toThrow(/without its entry of the public log/);
        expect(await store.readStream(stream)).toEqual([]);
        expect((await write([record, ...own])).ok).toBe(true);
        expect(await store.readStream(stream)).toHaveLength(1);
      },
    );
  });

  describe("[A34] the head of the public log", () => {
    test("moves from the size that its mover knows, and only once", async () => {
      const headOf = (size: number) => ({ size, root: newHash(), note: `log\n${size}\n` });
      expect(await opened.store.logHead()).toBeNull();
      const [first, second, third] = [headOf(3), headOf(5), headOf(6)];
      expect(await opened.store.moveLogHead(3, second)).toBe(false);
      expect(await opened.store.moveLogHead(null, first)).toBe(true);
      expect(await opened.store.moveLogHead(null, second)).toBe(false);
      expect(await opened.store.logHead()).toEqual(first);
      const moved = await Promise.all([second, third].map((head) => opened.store.moveLogHead(3, head)));
      expect(moved.toSorted()).toEqual([false, true]);
      expect(await opened.store.logHead()).toEqual(moved[0] === true ? second : third);
      expect(await opened.store.moveLogHead(3, first)).toBe(false);
    });

    test("[A107] keeps the leaves that it has where they are", async () => {
      const last = await opened.store.stageLeaves([{ kind: newSlug(), body: {} }], 83);
      const before = await opened.store.leavesAfter(last - 1, 9);
      const size = (await opened.store.logHead())?.size ?? 0;
      const head = { size: last, root: newHash(), note: "log\n" };
      expect(await opened.store.moveLogHead(size === 0 ? null : size, head)).toBe(true);
      const lost = { sequence: last, kind: newSlug(), at: 84, body: {} };
      await expect(opened.store.importLeaves([lost], 1)).rejects.toThrow(/under the head/);
      expect(await opened.store.leavesAfter(last - 1, 9)).toEqual(before);
    });
  });
}
