import { describe, expect, test } from "vitest";
import {
  ALL_READABLE,
  type ModelMetrics,
  type Store,
  type StoreRecord,
} from "#coordinator/core/ports/store.ts";
import {
  appendTo,
  collect,
  createTask,
  newHash,
  newRunId,
  newSlug,
  type Opened,
  runRecord,
  task,
  withLeaves,
} from "./rows.ts";

export function registryContract(opened: Opened<Store>): void {
  const append = appendTo(opened);
  const version = (
    slug: string | null,
    runId: string,
    round: number,
    { metrics = null, modelHash = newHash() }: { metrics?: ModelMetrics | null; modelHash?: string } = {},
  ): StoreRecord => ({
    type: "model-version",
    version: { runId, round, modelHash, parentHash: null, strategyStateHash: null, metrics },
    ...(slug !== null && { numberedIn: slug }),
  });
  const name = (slug: string, alias: "champion" | "shadow", number: number | null) =>
    opened.store.appendNext({ kind: "registry", id: slug }, { at: 7, event: {} }, [
      ...withLeaves([
        {
          type: "model-alias",
          task: slug,
          alias,
          row: number === null ? null : { number, movedAt: 7, movedBy: "ada" },
        },
      ]),
    ]);

  describe("numbered models and aliases", () => {
    test("[G1] each model of a round takes its task's next number, over all runs, and keeps it", async () => {
      const [slug, other] = [newSlug(), newSlug()];
      const [first, second, third] = [newRunId(), newRunId(), newRunId()];
      const kept = newHash();
      await append({ kind: "run", id: first }, 1, [
        runRecord(first, { task: slug, number: 1 }),
        version(null, first, 0),
        version(slug, first, 1),
      ]);
      // A void step has no number.
      await append({ kind: "run", id: first }, 2, [
        version(null, first, 2),
        version(slug, first, 3, { modelHash: kept }),
      ]);
      await append({ kind: "run", id: third }, 1, [
        runRecord(third, { task: other }),
        version(other, third, 1),
      ]);
      await append({ kind: "run", id: second }, 1, [
        runRecord(second, { task: slug, number: 2, taskVersion: 4, state: "completed" }),
        version(slug, second, 1),
      ]);
      // Figures follow later.
      const metrics = { measures: { accuracy: { value: 0.9, halfWidth95: 0.01, count: 9 } }, survivors: 5 };
      await append({ kind: "run", id: first }, 3, [
        version(slug, first, 3, { modelHash: kept, metrics }),
        version(null, first, 1, { modelHash: (await opened.store.findModel(slug, 1))?.modelHash ?? "" }),
      ]);
      expect(await opened.store.modelNumbers(first)).toEqual(
        new Map([
          [1, 1],
          [3, 2],
        ]),
      );
      expect(await opened.store.modelNumbers(second)).toEqual(new Map([[1, 3]]));
      expect(await opened.store.modelNumbers(newRunId())).toEqual(new Map());
      const all = await collect((page) => opened.store.listModels(slug, page), 2);
      expect(
        all.map(({ number, runNumber, round, isCandidate }) => [number, runNumber, round, isCandidate]),
      ).toEqual([
        [3, 2, 1, true],
        [2, 1, 3, true],
        [1, 1, 1, false],
      ]);
      expect(await opened.store.findModel(slug, 2)).toEqual({
        ...{
          task: slug,
          number: 2,
          runId: first,
          runNumber: 1,
          runState: "running",
          taskVersion: 1,
          round: 3,
        },
        ...{ modelHash: kept, parentHash: null, metrics, isCandidate: true, madeAt: 1_700_000_000_002 },
      });
      expect(all[0]).toMatchObject({ runState: "completed", taskVersion: 4, metrics: null });
      expect(await opened.store.findModel(slug, 4)).toBeNull();
      expect((await opened.store.findModel(other, 1))?.runId).toBe(third);
      expect(await opened.store.listModels(newSlug(), { limit: 2 })).toEqual({ items: [], next: null });
      for (const cursor of ["", "x", "-1", "1e400", "99999999999999999999", "' or 1=1"])
        expect((await opened.store.listModels(newSlug(), { limit: 2, cursor })).next).toBeNull();
    });

    test("[G3] the champion is in use; without one, the newest model", async () => {
      const slug = newSlug();
      const runId = newRunId();
      await createTask(opened.store, task(slug, 1));
      const inUse = async () => (await opened.store.findTask(slug))?.inUse;
      expect(await inUse()).toBeNull();
      await append({ kind: "run", id: runId }, 1, [
        runRecord(runId, { task: slug }),
        version(null, runId, 0),
      ]);
      expect(await inUse()).toBeNull();
      await append({ kind: "run", id: runId }, 2, [version(slug, runId, 1), version(slug, runId, 2)]);
      expect(await inUse()).toMatchObject({ alias: null, model: { number: 2, runId, round: 2 } });
      await name(slug, "champion", 1);
      expect(await inUse()).toEqual({ alias: "champion", model: await opened.store.findModel(slug, 1) });
      const items = await collect((page) => opened.store.listTasks(ALL_READABLE, page), 100);
      expect(items.find((stored) => stored.task.slug === slug)?.inUse?.model.number).toBe(1);
      expect((await opened.store.listVersions(slug, { limit: 9 })).items[0]?.inUse?.model.number).toBe(1);
      await append({ kind: "run", id: runId }, 3, [version(slug, runId, 3)]);
      expect((await inUse())?.model.number).toBe(1);
      expect((await opened.store.findModel(slug, 1))?.isCandidate).toBe(false);
    });

    test("[G2] an alias names one model of its task, and can be removed", async () => {
      const [slug, other] = [newSlug(), newSlug()];
      for (const one of [slug, other]) await createTask(opened.store, task(one, 1));
      expect(await opened.store.listAliases(slug)).toEqual([]);
      expect(await name(slug, "shadow", 4)).toEqual({ ok: true, value: 1 });
      await name(slug, "champion", 2);
      await name(other, "shadow", 9);
      expect(await name(slug, "shadow", 5)).toEqual({ ok: true, value: 3 });
      const row = { movedAt: 7, movedBy: "ada" };
      expect(await opened.store.listAliases(slug)).toEqual([
        { alias: "champion", number: 2, ...row },
        { alias: "shadow", number: 5, ...row },
      ]);
      await name(slug, "shadow", null);
      expect((await opened.store.listAliases(slug)).map(({ alias }) => alias)).toEqual(["champion"]);
      expect((await opened.store.listAliases(other)).map(({ number }) => number)).toEqual([9]);
    });
  });
}
