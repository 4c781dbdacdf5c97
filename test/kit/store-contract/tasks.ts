import { describe, expect, test } from "vitest";
import {
  ALL_READABLE,
  type EventLog,
  type Listed,
  type ShownStore,
  type StoredTask,
  type TaskStore,
} from "#coordinator/core/ports/store.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { type TaskSettings, taskSettingsSchema } from "#shared/task/settings.ts";
import {
  appendTo,
  collect,
  createTask,
  newHash,
  newRunId,
  newSlug,
  type Opened,
  runRecord,
  runStream,
  task,
  withLeaves,
} from "./rows.ts";

const UNSET = taskSettingsSchema.parse({});

export function taskContract(opened: Opened<EventLog & TaskStore & ShownStore>): void {
  const append = appendTo(opened);

  describe("tasks", () => {
    test("[D3] are fixed once made, found by version or newest, and listed newest version only", async () => {
      const [first, second] = [newSlug(), newSlug()];
      for (const [slug, version] of [
        [first, 1],
        [first, 2],
        [second, 1],
      ] as const) {
        expect((await createTask(opened.store, task(slug, version))).ok).toBe(true);
      }
      const again = await createTask(opened.store, task(first, 2), { actor: "eve", at: 2000 });
      expect(again).toEqual({ ok: false, error: { type: "exists" } });
      expect(await opened.store.findTask(first)).toMatchObject({
        task: task(first, 2),
        actor: "ada",
        createdAt: 1000,
      });
      expect((await opened.store.findTask(first, 1))?.task).toEqual(task(first, 1));
      expect(await opened.store.findTask(first, 3)).toBeNull();
      expect(await opened.store.listTaskVersions(first)).toEqual([1, 2]);
      expect(await opened.store.listTaskVersions(newSlug())).toEqual([]);
      expect(await opened.store.findTask(newSlug())).toBeNull();
      expect(await opened.store.showTask(first, 1)).toEqual(await opened.store.findTask(first, 1));
      const listed = await collect((page) => opened.store.listTasks(ALL_READABLE, page), 1);
      const versions = listed.map((stored) => [stored.task.slug, stored.task.version]);
      expect(versions).toEqual(
        expect.arrayContaining([
          [first, 2],
          [second, 1],
        ]),
      );
      expect(listed.filter((stored) => stored.task.slug === first)).toHaveLength(1);
    });

    test("[D3] have their versions listed, newest first, in pages without a gap", async () => {
      const [slug, other] = [newSlug(), newSlug()];
      for (const version of [1, 2, 4, 5]) await createTask(opened.store, task(slug, version));
      await createTask(opened.store, task(other, 3));
      const numbersOf = (items: readonly StoredTask[]) => items.map((stored) => stored.task.version);
      for (const limit of [1, 3, 200]) {
        const listed = await collect((page) => opened.store.listVersions(slug, page), limit);
        expect(numbersOf(listed)).toEqual([5, 4, 2, 1]);
        expect(listed[2]).toEqual(await opened.store.findTask(slug, 2));
      }
      for (const [name, cursor] of [
        [newSlug(), undefined],
        [slug, "1"],
        [slug, "x"],
      ] as const)
        expect(await opened.store.listVersions(name, { limit: 5, cursor })).toEqual({
          items: [],
          next: null,
        });
      const large = "x".repeat(LIMITS.pageByteCountMax);
      for (const version of [6, 7])
        await createTask(opened.store, { ...task(slug, version), dataCard: large });
      const page = await opened.store.listVersions(slug, { limit: 200 });
      expect([numbersOf(page.items), page.next]).toEqual([[7], "7"]);
      expect(numbersOf(await collect((next) => opened.store.listVersions(slug, next), 200))).toEqual([
        7, 6, 5, 4, 2, 1,
      ]);
    });

    test("[D2] come in pages that end early if they are large, without a gap", async () => {
      // Each of the large ones is just below 100 kB.
      const fits = Math.floor(LIMITS.pageByteCountMax / 100_000);
      const slugs = Array.from({ length: fits + 3 }, () => newSlug());
      const large = (slug: string, dataCard: string) => ({ ...task(slug, 1), dataCard });
      for (const [index, slug] of slugs.entries()) {
        const byteCount = index === fits + 1 ? LIMITS.pageByteCountMax + 1 : 99_000;
        await createTask(opened.store, large(slug, "x".repeat(byteCount)));
      }
      const found: string[][] = [];
      let cursor: string | null = null;
      do {
        const page: Listed<StoredTask> = await opened.store.listTasks(
          ALL_READABLE,
          cursor === null ? { limit: 200 } : { limit: 200, cursor },
        );
        found.push(page.items.map((stored) => stored.task.slug).filter((slug) => slugs.includes(slug)));
        cursor = page.next;
      } while (cursor !== null);
      expect(found.flat()).toEqual(slugs);
      for (const page of found) expect(page.length).toBeLessThanOrEqual(fits);
      // One task that is larger than a page is a page of its own.
      expect(found).toContainEqual([slugs[fits + 1]]);
    });

    test("[D15] are written with the next event of their project and its leaf, or not at all", async () => {
      const [project, other] = [newRunId(), newRunId()];
      const made = [task(newSlug(), 1), task(newSlug(), 1), task(newSlug(), 1)];
      const results = await Promise.all(
        [...made, ...made].map((one) => createTask(opened.store, one, { project })),
      );
      // Six writers at once, two for each task: one of each pair is told that the task exists.
      expect(
        results
          .filter((result) => result.ok)
          .map((result) => result.ok && result.value)
          .sort(),
      ).toEqual([1, 2, 3]);
      for (const result of results) if (!result.ok) expect(result.error).toEqual({ type: "exists" });
      const stream = { kind: "project", id: project } as const;
      const rows = await opened.store.readStream(stream);
      expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
      const leaves = await collect((page) => opened.store.auditLeaves(page), 50);
      for (const { slug } of made) {
        const ofTask = leaves.filter(({ body }) => (body as { slug?: string }).slug === slug);
        expect(ofTask.map(({ kind }) => kind)).toEqual(["task.published"]);
      }
      // Other projects count separately, and so do streams of other kinds.
      expect(await createTask(opened.store, task(newSlug(), 1), { project: other })).toEqual({
        ok: true,
        value: 1,
      });
      for (const kind of ["registry", "access"] as const) {
        const appended = await opened.store.appendNext({ kind, id: project }, { at: 1, event: { kind } }, []);
        expect(appended).toEqual({ ok: true, value: 1 });
        expect(await opened.store.readStream({ kind, id: project })).toHaveLength(1);
      }
      expect(await opened.store.readStream(stream)).toHaveLength(3);
    });

    test("[A20] are left out of lists once archived, unless these ask for them, and can be taken up again", async () => {
      const [slug, project] = [newSlug(), newRunId()];
      await createTask(opened.store, task(slug, 1), { project });
      const archive = (archived: TaskSettings["archived"]) =>
        opened.store.appendNext({ kind: "project", id: project }, { at: 1, event: { note: null } }, [
          ...withLeaves([{ type: "task-settings", slug, changes: { archived } }]),
        ]);
      const isListed = async (archived?: boolean) => {
        const readable = {
          projects: [project],
          orPublic: false,
          ...(archived !== undefined && { archived }),
        };
        return (await opened.store.listTasks(readable, { limit: 5 })).items.length === 1;
      };
      expect([await isListed(), await isListed(true)]).toEqual([true, true]);
      await archive({ at: "2026-08-03T10:00:00.000Z", by: "k7f2" });
      expect([await isListed(), await isListed(false), await isListed(true)]).toEqual([false, false, true]);
      expect((await opened.store.findTask(slug))?.settings.archived?.by).toBe("k7f2");
      await archive(null);
      expect(await isListed()).toBe(true);
    });

    test("[D15] have settings of their slug, which are replaced one by one beside an event", async () => {
      const [slug, other, project] = [newSlug(), newSlug(), newRunId()];
      for (const made of [task(slug, 1), task(slug, 2), task(other, 1)]) await createTask(opened.store, made);
      const change = (invitation: string | null) =>
        opened.store.appendNext({ kind: "project", id: project }, { at: 1, event: { note: null } }, [
          ...withLeaves([{ type: "task-settings", slug, changes: { invitation } }]),
        ]);
      const settingsOf = async (name: string, version?: number) =>
        (await opened.store.findTask(name, version))?.settings;
      expect(await settingsOf(slug)).toEqual(UNSET);
      expect(await change("Help")).toEqual({ ok: true, value: 1 });
      for (const version of [1, 2, undefined])
        expect(await settingsOf(slug, version)).toEqual({ ...UNSET, invitation: "Help" });
      expect(await settingsOf(other)).toEqual(UNSET);
      const listed = await collect((page) => opened.store.listTasks(ALL_READABLE, page), 50);
      expect(listed.find((stored) => stored.task.slug === slug)?.settings).toEqual({
        ...UNSET,
        invitation: "Help",
      });
      expect(await change(null)).toEqual({ ok: true, value: 2 });
      expect(await settingsOf(slug)).toEqual(UNSET);
    });

    test("[D3] come with the figures of their newest run that has a model", async () => {
      const slug = newSlug();
      await createTask(opened.store, task(slug, 1));
      expect((await opened.store.findTask(slug))?.newest).toBeNull();
      const newestOf = (value: number) => ({
        modelHash: newHash(),
        measures: { accuracy: { value, halfWidth95: 0.01, count: 300 } },
      });
      const [older, newer] = [newestOf(0.5), { ...newestOf(0), measures: null }];
      const newerRun = newRunId();
      await append(runStream(), 1, [runRecord(newRunId(), { task: slug, createdAt: 5, newest: older })]);
      await append(runStream(), 1, [runRecord(newerRun, { task: slug, createdAt: 9 })]);
      await append(runStream(), 1, [runRecord(newRunId(), { task: newSlug(), createdAt: 9, newest: newer })]);
      expect((await opened.store.findTask(slug, 1))?.newest).toEqual(older);
      await append(runStream(), 1, [runRecord(newerRun, { task: slug, createdAt: 9, newest: newer })]);
      expect((await opened.store.findTask(slug))?.newest).toEqual(newer);
      const listed = await collect((page) => opened.store.listTasks(ALL_READABLE, page), 50);
      expect(listed.find((stored) => stored.task.slug === slug)?.newest).toEqual(newer);
    });
  });
}
