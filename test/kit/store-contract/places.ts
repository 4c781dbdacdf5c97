import { describe, expect, test } from "vitest";
import type { EventLog, Readable, RunStore, StoreRecord, TaskStore } from "#coordinator/core/ports/store.ts";
import {
  appendTo,
  collect,
  createTask,
  newHash,
  newRoundId,
  newRunId,
  newSlug,
  type Opened,
  roundRecord,
  runRecord,
  runStream,
  task,
  withLeaves,
} from "./rows.ts";

const newProject = () => `project-${newRunId().slice(-8)}`;

export function placeContract(opened: Opened<EventLog & TaskStore & RunStore>): void {
  const append = appendTo(opened);
  const offered = (modelHash: string, runId: string): StoreRecord => ({
    type: "model-offered",
    modelHash,
    runId,
  });
  const closeTo = async (slug: string, project: string) => {
    const record: StoreRecord = { type: "task-settings", slug, changes: { joining: "invitation" } };
    const stream = { kind: "project", id: project } as const;
    expect((await opened.store.appendNext(stream, { at: 1, event: {} }, withLeaves([record]))).ok).toBe(true);
  };

  describe("places", () => {
    test("[X3] a slug belongs to one project, whoever comes at the same time", async () => {
      const slug = newSlug();
      const [one, other] = [newProject(), newProject()];
      const both = await Promise.all(
        [one, other].map((project) => createTask(opened.store, task(slug, 1), { project })),
      );
      expect(both.filter((result) => result.ok)).toHaveLength(1);
      const [owner, late] = both[0]?.ok === true ? [one, other] : [other, one];
      const next = await createTask(opened.store, task(slug, 2), { project: late });
      expect(next).toEqual({ ok: false, error: { type: "exists" } });
      expect(await opened.store.readStream({ kind: "project", id: late })).toEqual([]);
      expect((await createTask(opened.store, task(slug, 2), { project: owner })).ok).toBe(true);
      expect(await opened.store.findTask(slug)).toMatchObject({ projectId: owner, task: { version: 2 } });
    });

    test("[X4] lists hold what their reader may read, in full pages", async () => {
      const [mine, yours] = [newProject(), newProject()];
      const slugs = Array.from({ length: 6 }, () => newSlug());
      const runs: string[] = [];
      for (const [index, slug] of slugs.entries()) {
        const project = index % 2 === 0 ? mine : yours;
        await createTask(opened.store, task(slug, 1), { project });
        await createTask(opened.store, task(slug, 2), { project });
        if (index >= 2) await closeTo(slug, project);
        const runId = newRunId();
        runs.push(runId);
        await append(runStream(runId), 1, [runRecord(runId, { task: slug, projectId: project })]);
      }
      const tasksFor = async (readable: Readable) => {
        const all = await collect((page) => opened.store.listTasks(readable, page), 1);
        return all.map((stored) => slugs.indexOf(stored.task.slug)).filter((index) => index >= 0);
      };
      const runsFor = async (readable: Readable) => {
        const all = await collect((page) => opened.store.listRuns(readable, page), 1);
        return all
          .map(({ runId }) => runs.indexOf(runId))
          .filter((index) => index >= 0)
          .sort();
      };
      for (const read of [tasksFor, runsFor]) {
        expect(await read({ projects: "all", orPublic: false })).toEqual([0, 1, 2, 3, 4, 5]);
        expect(await read({ projects: [mine], orPublic: false })).toEqual([0, 2, 4]);
        expect(await read({ projects: [mine], orPublic: true })).toEqual([0, 1, 2, 4]);
        expect(await read({ projects: [mine, yours], orPublic: false })).toEqual([0, 1, 2, 3, 4, 5]);
        expect(await read({ projects: [], orPublic: true })).toEqual([0, 1]);
        expect(await read({ projects: [], orPublic: false })).toEqual([]);
        expect(await read({ projects: ["' or 1=1 --"], orPublic: false })).toEqual([]);
      }
      const counts = await opened.store.countTasks();
      expect([counts.get(mine), counts.get(yours), counts.get(newProject())]).toEqual([3, 3, undefined]);
      const [, , slug = ""] = slugs;
      const page = { limit: 5 };
      const ofTask = { projects: [yours], orPublic: true, task: slug };
      expect((await opened.store.listRuns(ofTask, page)).items).toEqual([]);
      expect((await opened.store.listRuns({ ...ofTask, projects: [mine] }, page)).items).toHaveLength(1);
      // A page is full even though rows in between are not for this reader.
      const readable = { projects: [mine], orPublic: false };
      expect((await opened.store.listTasks(readable, { limit: 2 })).items).toHaveLength(2);
    });

    test("[X5] a task, run, round or model is found where it belongs, and with how one joins", async () => {
      const [project, slug, runId, roundId] = [newProject(), newSlug(), newRunId(), newRoundId()];
      const [initial, stepped, made] = [newHash(), newHash(), newHash()];
      await createTask(opened.store, task(slug, 1), { project });
      await createTask(opened.store, task(slug, 2), { project });
      const version = { runId, round: 1, modelHash: made, parentHash: initial };
      await append(runStream(runId), 1, [
        runRecord(runId, { task: slug, projectId: project }),
        offered(initial, runId),
        offered(stepped, runId),
        { type: "model-version", version: { ...version, strategyStateHash: null, metrics: null } },
      ]);
      await append({ kind: "round", id: roundId }, 1, [roundRecord(roundId, runId, 1)]);
      const things = [
        { type: "task", id: slug },
        { type: "run", id: runId },
        { type: "round", id: roundId },
        ...[initial, stepped, made].map((id) => ({ type: "model", id }) as const),
      ] as const;
      for (const thing of things)
        expect(await opened.store.findPlaces(thing)).toEqual([
          { projectId: project, slug, joining: "public" },
        ]);
      await closeTo(slug, project);
      for (const thing of things)
        expect(await opened.store.findPlaces(thing)).toEqual([
          { projectId: project, slug, joining: "invitation" },
        ]);
      for (const type of ["task", "run", "round", "model"] as const)
        for (const id of [newHash(), "", "' or 1=1 --", "%"])
          expect(await opened.store.findPlaces({ type, id })).toEqual([]);
    });

    test("[X5] a model that several tasks have used is found in each of them", async () => {
      const places = [newSlug(), newSlug()].map((slug) => ({ projectId: newProject(), slug }));
      const shared = newHash();
      for (const { projectId, slug } of places) {
        await createTask(opened.store, task(slug, 1), { project: projectId });
        for (const runId of [newRunId(), newRunId()])
          await append(runStream(runId), 1, [
            runRecord(runId, { task: slug, projectId }),
            offered(shared, runId),
          ]);
      }
      expect(await opened.store.findPlaces({ type: "model", id: shared })).toEqual(
        places.map((place) => ({ ...place, joining: "public" })),
      );
    });
  });
}
