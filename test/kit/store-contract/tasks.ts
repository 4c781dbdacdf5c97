import { describe, expect, test } from "vitest";
import type { EventLog, TaskStore } from "#coordinator/core/store.ts";
import {
  appendTo,
  collect,
  newHash,
  newRunId,
  newSlug,
  type Opened,
  runRecord,
  runStream,
  task,
} from "./rows.ts";

export function taskContract(opened: Opened<EventLog & TaskStore>): void {
  const append = appendTo(opened);

  describe("tasks", () => {
    test("[D3] are fixed once made, found by version or newest, and listed newest version only", async () => {
      const [first, second] = [newSlug(), newSlug()];
      for (const [slug, version] of [
        [first, 1],
        [first, 2],
        [second, 1],
      ] as const) {
        expect((await opened.store.createTask(task(slug, version), newHash(), "ada", 1000)).ok).toBe(true);
      }
      const again = await opened.store.createTask(task(first, 2), newHash(), "eve", 2000);
      expect(again).toEqual({ ok: false, error: { type: "exists" } });
      expect(await opened.store.findTask(first)).toMatchObject({
        task: task(first, 2),
        actor: "ada",
        createdAt: 1000,
      });
      expect((await opened.store.findTask(first, 1))?.task).toEqual(task(first, 1));
      expect(await opened.store.findTask(first, 3)).toBeNull();
      expect(await opened.store.findTask(newSlug())).toBeNull();
      const listed = await collect((page) => opened.store.listTasks(page), 1);
      const versions = listed.map((stored) => [stored.task.slug, stored.task.version]);
      expect(versions).toEqual(
        expect.arrayContaining([
          [first, 2],
          [second, 1],
        ]),
      );
      expect(listed.filter((stored) => stored.task.slug === first)).toHaveLength(1);
    });

    test("[D3] come with the figures of their newest run that has a model", async () => {
      const slug = newSlug();
      await opened.store.createTask(task(slug, 1), newHash(), "ada", 1000);
      expect((await opened.store.findTask(slug))?.newest).toBeNull();
      const newestOf = (value: number) => ({
        modelHash: newHash(),
        accuracy: { value, halfWidth95: 0.01, count: 300 },
      });
      const [older, newer] = [newestOf(0.5), { ...newestOf(0), accuracy: null }];
      const newerRun = newRunId();
      await append(runStream(), 1, [runRecord(newRunId(), { task: slug, createdAt: 5, newest: older })]);
      await append(runStream(), 1, [runRecord(newerRun, { task: slug, createdAt: 9 })]);
      await append(runStream(), 1, [runRecord(newRunId(), { task: newSlug(), createdAt: 9, newest: newer })]);
      expect((await opened.store.findTask(slug, 1))?.newest).toEqual(older);
      await append(runStream(), 1, [runRecord(newerRun, { task: slug, createdAt: 9, newest: newer })]);
      expect((await opened.store.findTask(slug))?.newest).toEqual(newer);
      const listed = await collect((page) => opened.store.listTasks(page), 50);
      expect(listed.find((stored) => stored.task.slug === slug)?.newest).toEqual(newer);
    });
  });
}
