import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RunQuery } from "#coordinator/core/ports/run-query.ts";
import type { EventLog, StoreRecord } from "#coordinator/core/ports/store.ts";
import type {
  RunBatch,
  TrackedMetric,
  TrackedRun,
  TrackingStore,
} from "#coordinator/core/ports/tracking-store.ts";
import { parseFilter, parseOrdering, RUNS } from "#shared/tracking/search-text.ts";
import { memoryDatabase } from "../fakes/memory-database.ts";
import { trackingOf } from "../fakes/memory-tracking.ts";
import { event, newHash, newRoundId, newRunId, newSlug, type Opened, runRecord, viewLike } from "./rows.ts";

function trackedRun(change: Partial<TrackedRun> & Pick<TrackedRun, "projectId">): TrackedRun {
  const { runId = newRunId() } = change;
  return {
    runId,
    experimentId: "1",
    artifactUri: `mlflow-artifacts:/1/${runId}/artifacts`,
    name: "calm-fox",
    userId: "ada",
    status: "RUNNING",
    startTime: 1_700_000_000_000,
    endTime: null,
    isDeleted: false,
    isOwn: false,
    ...change,
  };
}

const metric = (key: string, value: number, step = 0, timestamp = 5): TrackedMetric => ({
  key,
  value,
  step,
  timestamp,
});
const batch = (change: Partial<RunBatch>): RunBatch => ({ metrics: [], params: [], tags: [], ...change });

function query(filter: string, orderBy: readonly string[] = [], change: Partial<RunQuery> = {}): RunQuery {
  const conditions = parseFilter(filter, RUNS);
  const orderings = orderBy.map((text) => parseOrdering(text, RUNS));
  if (!conditions.ok) throw new Error(conditions.error.sentence);
  return {
    experimentIds: ["1"],
    shows: "active",
    conditions: conditions.value,
    orderings: orderings.flatMap((ordering) => (ordering.ok ? [ordering.value] : [])),
    limit: 100,
    offset: 0,
    ...change,
  };
}

export function trackingContract(opened: Opened<TrackingStore & EventLog>): void {
  const made = async (
    change: Partial<TrackedRun> & Pick<TrackedRun, "projectId">,
    logged: Partial<RunBatch> = {},
  ) => {
    const run = trackedRun(change);
    await opened.store.createTrackedRun(run, []);
    expect(await opened.store.logBatch(run.projectId, run.runId, batch(logged))).toBeNull();
    return run.runId;
  };
  const namesOf = async (projectId: string, asked: RunQuery) =>
    (await opened.store.searchTrackedRuns(projectId, asked)).runs.map(({ run }) => run.name);

  describe("experiments and runs", () => {
    test("[L1] a document is what it was last said to be, within its project and kind", async () => {
      const [projectId, other] = [newSlug(), newSlug()];
      const { store } = opened;
      await store.putDocument(projectId, "experiment", { id: "1", name: "a", body: { tags: {} } });
      await store.putDocument(projectId, "experiment", {
        id: "1",
        name: "b",
        body: { tags: { x: "\u0000" } },
      });
      await store.putDocument(projectId, "experiment", { id: "2", name: "b", body: null });
      await store.putDocument(other, "experiment", { id: "1", name: "c", body: 1 });
      expect(await store.findDocument(projectId, "experiment", "1")).toEqual({
        id: "1",
        name: "b",
        body: { tags: { x: "\u0000" } },
      });
      expect(await store.findDocument(projectId, "registered-model", "1")).toBeNull();
      expect((await store.listDocuments(projectId, "experiment", "b")).map(({ id }) => id)).toEqual([
        "1",
        "2",
      ]);
      await store.removeDocument(projectId, "experiment", "1");
      expect((await store.listDocuments(projectId, "experiment")).map(({ id }) => id)).toEqual(["2"]);
      expect(await store.nextExperimentNumber(projectId)).toBe(1);
      expect(await store.nextExperimentNumber(projectId)).toBe(2);
      expect(await store.nextExperimentNumber(other)).toBe(1);
    });

    test("[L1] several documents change at once", async () => {
      const projectId = newSlug();
      const { store } = opened;
      await store.putDocument(projectId, "model-version", { id: "a/1", name: "a", body: 1 });
      await store.changeDocuments(projectId, {
        remove: [{ kind: "model-version", id: "a/1" }],
        put: [
          { kind: "model-version", id: "b/1", name: "b", body: 1 },
          { kind: "registered-model", id: "b", name: "b", body: 2 },
        ],
      });
      expect(await store.listDocuments(projectId, "model-version")).toEqual([
        { id: "b/1", name: "b", body: 1 },
      ]);
      expect(await store.findDocument(projectId, "registered-model", "b")).toMatchObject({ body: 2 });
    });

    test("[L2] of two batches at once that give a param two values one is refused", async () => {
      const projectId = newSlug();
      const runId = await made({ projectId });
      const answers = await Promise.all(
        ["1", "2", "3"].map((value) =>
          opened.store.logBatch(projectId, runId, batch({ params: [{ key: "p", value }] })),
        ),
      );
      expect(answers.filter((answer) => answer === null)).toHaveLength(1);
      expect(answers.filter((answer) => answer?.type === "param-changed")).toHaveLength(2);
    });

    test("[L2] a batch is written as a whole or not at all; a param keeps its value", async () => {
      const projectId = newSlug();
      const runId = await made({ projectId }, { params: [{ key: "rate", value: "0.1" }] });
      const { store } = opened;
      const changed = batch({
        metrics: [metric("loss", 1)],
        params: [
          { key: "seed", value: "3" },
          { key: "rate", value: "0.2" },
        ],
        tags: [{ key: "a", value: "b" }],
      });
      expect(await store.logBatch(projectId, runId, changed)).toEqual({
        type: "param-changed",
        key: "rate",
        old: "0.1",
        asked: "0.2",
      });
      const whole = await store.findTrackedRun(projectId, runId);
      expect(whole).toMatchObject({ metrics: [], params: [{ key: "rate", value: "0.1" }], tags: [] });
      expect(await store.logBatch(newSlug(), runId, batch({}))).toEqual({ type: "not-found" });
      await store.changeTrackedRun(runId, { isDeleted: true, status: "FINISHED", endTime: 9 });
      expect(await store.logBatch(projectId, runId, batch({}))).toEqual({ type: "deleted" });
      expect(await store.findTrackedRun(projectId, runId)).toMatchObject({
        run: { isDeleted: true, status: "FINISHED", endTime: 9, name: "calm-fox" },
      });
      expect(await store.findTrackedRun(newSlug(), runId)).toBeNull();
    });

    test("[L2] [L6] runs of Chorus take tags alone, and none that says what they are", async () => {
      const projectId = newSlug();
      const runId = await made({ projectId, isOwn: true });
      const { store } = opened;
      expect(await store.logBatch(projectId, runId, batch({ tags: [{ key: "k", value: "v" }] }))).toBeNull();
      for (const own of [
        batch({ metrics: [metric("m", 1)] }),
        batch({ params: [{ key: "p", value: "1" }] }),
        batch({ tags: [{ key: "fl.model_sha256", value: "1" }] }),
        batch({ tags: [{ key: "mlflow.parentRunId", value: "1" }] }),
      ])
        expect(await store.logBatch(projectId, runId, own)).toEqual({ type: "own" });
    });

    test("[L2] a metric keeps its history, NaN and infinities too, each point once; its newest value is shown", async () => {
      const projectId = newSlug();
      const points = [
        metric("loss", 3, 2),
        metric("loss", Number.NaN, 1),
        metric("loss", Number.POSITIVE_INFINITY, 3),
        metric("loss", -1.5, -1),
        metric("loss", 3, 2),
      ];
      const runId = await made({ projectId }, { metrics: points });
      await opened.store.logBatch(projectId, runId, batch({ metrics: points.slice(0, 2) }));
      const history = (page: { offset: number; limit: number }) =>
        opened.store.metricHistory(runId, "loss", page);
      const all = await history({ offset: 0, limit: 10 });
      expect(all.map(({ step, value }) => [step, value])).toEqual([
        [-1, -1.5],
        [1, Number.NaN],
        [2, 3],
        [3, Number.POSITIVE_INFINITY],
      ]);
      expect((await history({ offset: 1, limit: 2 })).map(({ step }) => step)).toEqual([1, 2]);
      const whole = await opened.store.findTrackedRun(projectId, runId);
      expect(whole?.metrics).toEqual([metric("loss", Number.POSITIVE_INFINITY, 3)]);
    });

    test("[L2] a batch of 1,000 metrics, tags replaced and removed, links replaced", async () => {
      const projectId = newSlug();
      const metrics = Array.from({ length: 1_000 }, (_, index) => metric(`m${index % 10}`, index, index));
      const runId = await made({ projectId }, { metrics, tags: [{ key: "t", value: "1" }] });
      const { store } = opened;
      await store.logBatch(
        projectId,
        runId,
        batch({
          tags: [
            { key: "t", value: "2" },
            { key: "u", value: "" },
          ],
        }),
      );
      await store.deleteRunTag(runId, "u");
      const link = { kind: "dataset", id: "d", name: "iris", digest: "x", context: "train" } as const;
      await store.putRunLinks(projectId, runId, [{ ...link, body: { rows: 1 } }]);
      await store.putRunLinks(projectId, runId, [{ ...link, body: { rows: 2 } }]);
      const whole = await store.findTrackedRun(projectId, runId);
      expect(whole?.metrics.map(({ key, value }) => [key, value])[9]).toEqual(["m9", 999]);
      expect(whole?.tags).toEqual([{ key: "t", value: "2" }]);
      expect(whole?.links).toEqual([{ ...link, body: { rows: 2 } }]);
      expect(await store.metricHistory(runId, "m3", { offset: 0, limit: 1_000 })).toHaveLength(100);
    });
  });

  describe("runs of Chorus", () => {
    const view = (change: object) => ({
      ...{ code: null, endedBy: null, endedAt: null, roundsPlanned: 2, seed: 3, configHash: "ab" },
      ...{ strategy: { name: "fedavg" }, training: { epochs: 2, optimizer: { kind: "sgd" } } },
      ...change,
    });
    const accuracy = (value: number) => ({ accuracy: { value, halfWidth95: 0.1, count: 10 } });
    const roundView = (measures: object | null) =>
      viewLike({
        view: {
          ...{ code: null, openedAt: "2026-01-01T00:00:00Z", endedAt: "2026-01-01T00:01:00Z", joined: 5 },
          ...{
            survivors: 4,
            advertised: 5,
            parentModelHash: "a",
            modelHash: "b",
            updateNormL2: 0.5,
            measures,
          },
          deviceMeasures: { before: accuracy(0.25), after: {} },
        },
        detail: {},
      });

    test("[L6] a run and its rounds are recorded with their rows, and follow them", async () => {
      const { store } = opened;
      const [projectId, slug, runId, roundId] = [newSlug(), newSlug(), newRunId(), newRoundId()];
      const run = (state: string, change: object = {}): StoreRecord =>
        runRecord(runId, { projectId, task: slug, number: 7, state, view: viewLike(view(change)) });
      const round = (phase: string, measures: object | null): StoreRecord => ({
        type: "round-row",
        roundId,
        row: { runId, round: 1, phase, view: roundView(measures) },
      });
      const write = async (sequence: number, records: readonly StoreRecord[]) =>
        expect(
          await store.append({ kind: "run", id: runId }, [{ event: event(sequence), records }]),
        ).toMatchObject({ ok: true });
      await write(1, [run("queued")]);
      expect(await store.findTrackedRun(projectId, runId)).toMatchObject({ run: { status: "SCHEDULED" } });
      const metrics = { measures: accuracy(0.1) };
      const version = {
        runId,
        round: 0,
        modelHash: newHash(),
        parentHash: null,
        strategyStateHash: null,
        metrics,
      };
      await write(2, [run("running"), { type: "model-version", version }, round("training", null)]);
      expect(await store.findTrackedRun(projectId, roundId)).toBeNull();
      await write(3, [round("committed", null)]);
      await write(4, [
        round("committed", accuracy(0.75)),
        run("completed", { endedAt: "2026-01-01T00:02:00Z" }),
      ]);
      const whole = await store.findTrackedRun(projectId, runId);
      expect(whole).toMatchObject({
        run: {
          status: "FINISHED",
          endTime: Date.parse("2026-01-01T00:02:00Z"),
          isOwn: true,
          name: `${slug} run 7`,
        },
        params: expect.arrayContaining([{ key: "training.optimizer.kind", value: "sgd" }]),
      });
      const history = await store.metricHistory(runId, "accuracy", { offset: 0, limit: 9 });
      expect(history.map(({ step, value }) => [step, value])).toEqual([
        [0, 0.1],
        [1, 0.75],
      ]);
      const nested = await store.findTrackedRun(projectId, roundId);
      expect(nested?.tags).toContainEqual({ key: "mlflow.parentRunId", value: runId });
      expect(nested?.metrics.map(({ key, value }) => [key, value])).toEqual([
        ["accuracy", 0.75],
        ["survivors", 4],
        ["update_norm_l2", 0.5],
      ]);
      const [experiment, ...others] = await store.listDocuments(projectId, "experiment");
      expect(others).toEqual([]);
      expect(experiment).toMatchObject({ id: whole?.run.experimentId, name: slug, body: { task: slug } });
    });

    test("[L6] an experiment that people named like a task before, deleted or not, becomes the task's", async () => {
      const { store } = opened;
      for (const isDeleted of [false, true]) {
        const [projectId, slug, runId] = [newSlug(), newSlug(), newRunId()];
        const tags = [{ key: "by", value: "ada" }];
        const body = {
          experimentId: "9",
          name: slug,
          isDeleted,
          createdAt: 1,
          updatedAt: 2,
          tags,
          task: null,
        };
        await store.putDocument(projectId, "experiment", { id: "9", name: slug, body });
        const record = runRecord(runId, {
          ...{ projectId, task: slug, number: 1, state: "queued" },
          view: viewLike(view({})),
        });
        await store.append({ kind: "run", id: runId }, [{ event: event(1), records: [record] }]);
        expect((await store.findTrackedRun(projectId, runId))?.run.experimentId).toBe("9");
        const [adopted, ...others] = await store.listDocuments(projectId, "experiment");
        expect(others).toEqual([]);
        expect(adopted).toMatchObject({ id: "9", name: slug, body: { task: slug, isDeleted: false, tags } });
      }
    });
  });

  describe("searches", () => {
    test("[L3] each comparator, by attribute, metric, param, tag and data set", async () => {
      const projectId = newSlug();
      await made(
        { projectId, name: "one", startTime: 30, status: "FINISHED", endTime: 40 },
        {
          metrics: [metric("acc", 0.9), metric("a b", 1)],
          params: [{ key: "rate", value: "0.1" }],
          tags: [{ key: "mlflow.user", value: "Ada_L" }],
        },
      );
      const second = await made(
        { projectId, name: "two", startTime: 20 },
        { metrics: [metric("acc", Number.NaN)], params: [{ key: "rate", value: "0.2%" }] },
      );
      await made({ projectId, name: "three*[x]?", startTime: 10 }, { metrics: [metric("acc", -1)] });
      const link = { kind: "dataset", id: "d", name: "iris", digest: "x1", context: "train" } as const;
      await opened.store.putRunLinks(projectId, second, [{ ...link, body: {} }]);
      const cases: readonly (readonly [string, readonly string[]])[] = [
        ["", ["one", "two", "three*[x]?"]],
        ["metrics.acc > 0", ["one"]],
        ["metrics.acc <= 0.9", ["one", "three*[x]?"]],
        ["metrics.acc != 0", ["one", "three*[x]?"]],
        ["metrics.`a b` = 1.0", ["one"]],
        ['metrics."a b" >= 1 and params.rate = "0.1"', ["one"]],
        ["params.rate LIKE '0.2\\%'", []],
        ["params.rate LIKE '0._%'", ["one", "two"]],
        ["params.rate != '0.1'", ["two"]],
        ["params.rate IS NULL", ["three*[x]?"]],
        ["tags.mlflow.user IS NOT NULL", ["one"]],
        ["tags.`mlflow.user` LIKE 'ada%'", []],
        ["tags.`mlflow.user` ILIKE 'ada\\_l'", []],
        ["tags.`mlflow.user` ILIKE 'ADA%'", ["one"]],
        ["attributes.run_name LIKE '%*[x]?'", ["three*[x]?"]],
        ["run_name IN ('one', 'two') AND run_name NOT IN ('two')", ["one"]],
        ["attributes.status = 'FINISHED'", ["one"]],
        ["attributes.start_time >= 20", ["one", "two"]],
        ["end_time < 100", ["one"]],
        [`attributes.artifact_uri LIKE '%${second}%'`, ["two"]],
        ["dataset.name = 'iris' AND datasets.digest LIKE 'x_'", ["two"]],
        ["dataset.context != 'train'", []],
      ];
      for (const [filter, names] of cases)
        expect([filter, await namesOf(projectId, query(filter))]).toEqual([filter, names]);
      expect(await namesOf(newSlug(), query(""))).toEqual([]);
    });

    test("[L3] values come first, then NaN, then what has none, both ways; pages follow", async () => {
      const projectId = newSlug();
      const values = [2, Number.NaN, 1, null, Number.NEGATIVE_INFINITY];
      for (const [index, value] of values.entries())
        await made(
          { projectId, name: String(value), startTime: index },
          value === null ? {} : { metrics: [metric("m", value)] },
        );
      expect(await namesOf(projectId, query("", ["metrics.m ASC"]))).toEqual([
        "-Infinity",
        "1",
        "2",
        "NaN",
        "null",
      ]);
      expect(await namesOf(projectId, query("", ["metric.m DESC"]))).toEqual([
        "2",
        "1",
        "-Infinity",
        "NaN",
        "null",
      ]);
      expect(await namesOf(projectId, query("", ["metric.m"], { limit: 2, offset: 3 }))).toEqual([
        "NaN",
        "null",
      ]);
      expect(await namesOf(projectId, query("", ["end_time", "run_name DESC"], { limit: 1 }))).toEqual([
        "null",
      ]);
      const [first] = (await opened.store.searchTrackedRuns(projectId, query("", ["metric.m"]))).runs;
      await opened.store.changeTrackedRun(first?.run.runId ?? "", { isDeleted: true });
      expect(await namesOf(projectId, query("", [], { shows: "deleted" }))).toEqual(["-Infinity"]);
      expect(await namesOf(projectId, query("", [], { shows: "all" }))).toHaveLength(5);
      expect(await namesOf(projectId, query("", [], { experimentIds: ["2"] }))).toEqual([]);
    });

    test("[L3] times are compared with any number", async () => {
      const projectId = newSlug();
      await made({ projectId, name: "one", startTime: 2 });
      expect(await namesOf(projectId, query("attributes.start_time > 1.5"))).toEqual(["one"]);
      expect(await namesOf(projectId, query("attributes.start_time < 1e30"))).toEqual(["one"]);
      expect(await namesOf(projectId, query("attributes.start_time = 2 and end_time > 1e300"))).toEqual([]);
    });

    test("[L3] a page of large runs ends early, and says so", async () => {
      const projectId = newSlug();
      const params = Array.from({ length: 90 }, (_, index) => ({
        key: `p${index}`,
        value: "x".repeat(6_000),
      }));
      for (let index = 0; index < 40; index++) await made({ projectId, startTime: index }, { params });
      const found = await opened.store.searchTrackedRuns(projectId, query(""));
      expect(found.isCut).toBe(true);
      expect(found.runs.length).toBeGreaterThan(10);
      expect(found.runs.length).toBeLessThan(40);
      const rest = await opened.store.searchTrackedRuns(
        projectId,
        query("", [], { offset: found.runs.length }),
      );
      expect([rest.isCut, found.runs.length + rest.runs.length]).toEqual([false, 40]);
    });

    test("[L3] any search finds what memory finds", async () => {
      const projectId = newSlug();
      const memory = trackingOf(memoryDatabase(), async () => {});
      for (let index = 0; index < 24; index++) {
        const run = trackedRun({ projectId, startTime: index, name: `run ${index % 5}` });
        const logged = batch({
          metrics: index % 3 === 0 ? [] : [metric("m", index % 7 === 0 ? Number.NaN : index % 4)],
          params: index % 4 === 0 ? [] : [{ key: "p", value: `v${index % 3}` }],
        });
        for (const store of [opened.store, memory]) {
          await store.createTrackedRun(run, []);
          await store.logBatch(projectId, run.runId, logged);
        }
      }
      const conditions = fc.constantFrom(
        "metrics.m > 1",
        "metrics.m != 2",
        "params.p IN ('v0', 'v2')",
        "params.p LIKE 'v_'",
        "params.p IS NULL",
        "run_name ILIKE 'RUN%3'",
        "start_time < 17",
      );
      const orderings = fc.constantFrom("metrics.m", "metrics.m DESC", "params.p DESC", "run_name ASC");
      const searches = fc.record({
        filter: fc.array(conditions, { maxLength: 3 }).map((parts) => parts.join(" AND ")),
        orderBy: fc.array(orderings, { maxLength: 2 }),
        offset: fc.nat({ max: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(searches, async ({ filter, orderBy, offset }) => {
          const asked = query(filter, orderBy, { offset, limit: 9 });
          const idsOf = async (store: TrackingStore) =>
            (await store.searchTrackedRuns(projectId, asked)).runs.map(({ run }) => run.runId);
          expect(await idsOf(opened.store)).toEqual(await idsOf(memory));
        }),
        { numRuns: 60 },
      );
    });
  });
}
