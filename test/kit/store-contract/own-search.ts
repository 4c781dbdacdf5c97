import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OwnRunQuery, OwnRunSearch, Stretch } from "#coordinator/core/ports/own-run-search.ts";
import { ALL_READABLE, type EventLog, type RunRow, type TaskStore } from "#coordinator/core/ports/store.ts";
import type { TrackingStore } from "#coordinator/core/ports/tracking-store.ts";
import { present } from "#shared/kernel/assert.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { OWN_RUNS, stored, withinSets } from "#shared/tracking/own-runs.ts";
import { parseFilter, parseOrdering } from "#shared/tracking/search-text.ts";
import { memoryDatabase } from "../fakes/memory-database.ts";
import { memoryStore } from "../fakes/memory-store.ts";
import {
  appendTo,
  createTask,
  newHash,
  newRoundId,
  newRunId,
  newSlug,
  type Opened,
  runRecord,
  runStream,
  task,
  viewLike,
} from "./rows.ts";

type Role = OwnRunSearch & TrackingStore & EventLog & TaskStore;

type Asked = OwnRunQuery & Stretch;

function query(filter: string, orderBy: readonly string[] = [], change: Partial<Asked> = {}): Asked {
  const conditions = parseFilter(filter, OWN_RUNS);
  if (!conditions.ok) throw new Error(conditions.error.sentence);
  const orderings = orderBy.flatMap((text) => {
    const ordering = parseOrdering(text, OWN_RUNS);
    return ordering.ok ? [stored(ordering.value)] : [];
  });
  return {
    readable: ALL_READABLE,
    conditions: conditions.value.map(stored),
    orderings: withinSets(orderings),
    limit: 100,
    offset: 0,
    ...change,
  };
}

/** A page of a search as the desk makes it, with its counts. */
async function searched(store: OwnRunSearch, asked: Asked) {
  const { runs } = await store.readOwnRuns(await store.findOwnRuns(asked, asked));
  const foundCount = await store.countOwnRuns(asked);
  return { runs, foundCount, allCount: await store.countOwnRuns({ ...asked, conditions: [] }) };
}

export interface Planted {
  readonly runId: string;
  readonly rate: number | string;
  /** Of the newest round; null if no round has committed. */
  readonly accuracy: number | null;
  /** Held-out set; null for rows on devices; undefined for figures of before sets had names. */
  readonly set?: string | null;
}

/** A run with a view as its driver writes it, and a round if it has figures. */
export async function plant(
  store: Role,
  change: Partial<RunRow>,
  { runId, rate, accuracy, set }: Planted,
): Promise<void> {
  const append = appendTo({ store });
  const measures =
    accuracy === null ? null : { accuracy: { value: accuracy, halfWidth95: 0.02, count: 359 } };
  const point = { round: 1, measures, ...(typeof set === "string" && { measuredOn: set }) };
  const figures = measures === null ? [] : [point];
  const { task: slug = "digits", number = 1, createdAt = 0 } = change;
  const view = viewLike({
    ...{ runId, task: slug, number, taskVersion: 1, state: "completed", launchedBy: "ada" },
    createdAt: new Date(createdAt).toISOString(),
    ...{ code: null, endedAt: null, roundsPlanned: 4, roundsCommitted: figures.length, seed: 1 },
    ...{ strategy: { kind: "fedavg" }, training: { rate }, configHash: newHash() },
    ...(set === null ? { history: [], deviceHistory: figures } : { history: figures }),
  });
  const newest =
    typeof set === "string" && measures !== null
      ? { modelHash: newHash(), measures, measuredOn: set as HashHex }
      : null;
  await append(runStream(runId), 1, [runRecord(runId, { ...change, view, newest })]);
  if (measures === null) return;
  const round = {
    ...{ code: null, openedAt: "2026-06-14T10:00:00.000Z", endedAt: "2026-06-14T10:00:05.000Z", joined: 3 },
    ...{ parentModelHash: newHash(), modelHash: newHash(), measures },
    phaseEndsS: { recruiting: 1.5, unmasking: 4.25 },
    traffic: [
      { step: "model", upByteCount: 0, downByteCount: 14_000 },
      { step: "input", upByteCount: 11_500, downByteCount: 100 },
    ],
  };
  const row = { runId, round: 1, phase: "committed", view: viewLike({ view: round }) };
  await append(runStream(runId), 2, [{ type: "round-row", roundId: newRoundId(), row }]);
}

export function ownSearchContract(opened: Opened<Role>): void {
  const found = async (asked: Asked, planted: readonly Planted[]) => {
    const { runs } = await searched(opened.store, asked);
    return runs.map(({ runId }) => planted.findIndex((one) => one.runId === runId));
  };

  describe("searches for own runs", () => {
    test("[L15] runs are found by row, view, params, figures and tags, and rounds are none", async () => {
      const slug = newSlug();
      const planted: readonly Planted[] = [
        { runId: newRunId(), rate: 0.1, accuracy: 0.9, set: "a".repeat(64) },
        { runId: newRunId(), rate: 0.02, accuracy: 0.8, set: "a".repeat(64) },
        { runId: newRunId(), rate: "auto", accuracy: null },
      ];
      for (const [index, one] of planted.entries())
        await plant(
          opened.store,
          {
            task: slug,
            state: index === 2 ? "waiting" : "completed",
            createdAt: 1_000 * index,
            number: index,
          },
          one,
        );
      await opened.store.logBatch("default", present(planted[1], "a run").runId, {
        ...{ metrics: [], params: [] },
        tags: [{ key: "note", value: "odd" }],
      });
      const is = (filter: string, orderBy: readonly string[] = [], change: Partial<Asked> = {}) =>
        found(query(`task = '${slug}'${filter === "" ? "" : ` AND ${filter}`}`, orderBy, change), planted);
      expect(await is("")).toEqual([2, 1, 0]);
      expect(await is("metrics.accuracy > 0.85")).toEqual([0]);
      expect(await is("params.training.rate = '0.02'")).toEqual([1]);
      expect(await is("tags.note = 'odd'")).toEqual([1]);
      expect(await is("strategy = 'fedavg' AND state = 'waiting'")).toEqual([2]);
      expect(await is("rounds = 1 AND run >= 1")).toEqual([1]);
      expect(await is("started > '1970-01-01T00:00:01'")).toEqual([2]);
      expect(await is("run_name LIKE '% run 1' AND status = 'FINISHED' AND by = 'ada'")).toEqual([1]);
      expect(await is(`measured_on = '${"a".repeat(64)}'`)).toEqual([1, 0]);
      expect(await is("", ["params.training.rate"])).toEqual([1, 0, 2]);
      expect(await is("", ["params.training.rate DESC"])).toEqual([0, 1, 2]);
      expect(await is("", ["metrics.accuracy"])).toEqual([1, 0, 2]);
      expect(await is("", ["started"], { limit: 1, offset: 1 })).toEqual([1]);
      const page = await searched(opened.store, query(`task = '${slug}' AND rounds = 1`, [], { limit: 1 }));
      expect(page.foundCount).toBe(2);
      expect(page.allCount).toBeGreaterThanOrEqual(3);
      const [first] = page.runs;
      expect(first?.params).toContainEqual({ key: "training.rate", value: "0.02" });
      expect(first?.tags).toContainEqual({ key: "note", value: "odd" });
      expect(first?.metrics).toContainEqual(
        expect.objectContaining({ key: "accuracy", value: 0.8, step: 1 }),
      );
      const cost = first?.metrics.slice(1).map(({ key, value }) => [key, value]);
      expect(cost).toEqual([
        ["device_kilobytes", 25.6],
        ["round_seconds", 4.25],
      ]);
      expect(first).toMatchObject({ task: slug, view: { roundsCommitted: 1 } });
    });

    test("[L15] a reader finds and counts what it may read, and knows those names alone", async () => {
      const [slug, project] = [newSlug(), `project-${newRunId().slice(-8)}`];
      await createTask(opened.store, task(slug, 1), { project });
      const one: Planted = { runId: newRunId(), rate: 1, accuracy: 0.5 };
      await plant(opened.store, { task: slug, projectId: project }, one);
      const of = (projects: readonly string[]) => ({ projects, orPublic: false });
      const readable = of([project]);
      const page = await searched(opened.store, query("", [], { readable }));
      expect([page.foundCount, page.allCount, page.runs[0]?.runId]).toEqual([1, 1, one.runId]);
      const nothing = await searched(opened.store, query("", [], { readable: of([]) }));
      expect([nothing.foundCount, nothing.allCount, nothing.runs.length]).toEqual([0, 0, 0]);
      const names = await opened.store.listRunNames(readable);
      expect(names.params).toContain("training.rate");
      expect(names.metrics).toEqual(["accuracy", "device_kilobytes", "round_seconds"]);
      expect(names.tags).toContain("fl.task_id");
      expect(await opened.store.listRunNames(of([]))).toEqual({ params: [], metrics: [], tags: [] });
      const has = (entity: "param" | "metric", key: string, by = readable) =>
        opened.store.hasRunName(by, entity, key);
      expect([await has("param", "training.rate"), await has("metric", "accuracy")]).toEqual([true, true]);
      for (const key of ["training.rat", "accuracy", "__proto__", "constructor", ""])
        expect([key, await has("param", key)]).toEqual([key, false]);
      expect(await has("metric", "accuracy", of([]))).toBe(false);
    });

    test("[L15] runs are read in the order of their ids, as many as fit, and deleted ones are passed over", async () => {
      const slug = newSlug();
      const planted = [1, 2, 3].map((rate): Planted => ({ runId: newRunId(), rate, accuracy: null }));
      for (const one of planted) await plant(opened.store, { task: slug }, one);
      const [first = "", second = "", third = ""] = planted.map(({ runId }) => runId);
      const asked = [third, newRunId(), first, second];
      const { runs, readCount } = await opened.store.readOwnRuns(asked);
      expect(runs.map(({ runId }) => runId)).toEqual([third, first, second]);
      expect(readCount).toBe(4);
      expect(await opened.store.readOwnRuns([])).toEqual({ runs: [], readCount: 0 });
    });

    test("[V12] figures on other rows of a task are not ordered among each other", async () => {
      const slug = newSlug();
      const sets = ["a".repeat(64), "b".repeat(64), null, undefined];
      const planted = sets.flatMap((set, index) =>
        [0.1, 0.9].map(
          (accuracy): Planted => ({
            ...{ runId: newRunId(), rate: 1, accuracy: accuracy + index / 100 },
            ...(set !== undefined && { set }),
          }),
        ),
      );
      for (const [index, one] of planted.entries())
        await plant(opened.store, { task: slug, createdAt: index }, one);
      const asked = query(`task = '${slug}'`, ["metrics.accuracy DESC"]);
      // Those of unknown rows come last, each alone, so in the order of their ids.
      expect(await found(asked, planted)).toEqual([1, 0, 3, 2, 5, 4, 6, 7]);
    });

    test("[L15] any search finds what memory finds", async () => {
      const slug = newSlug();
      const memory = memoryStore(memoryDatabase(), async () => {});
      for (let index = 0; index < 20; index++) {
        const one: Planted = {
          ...{ runId: newRunId(), rate: index % 5 === 0 ? "auto" : (index % 4) / 10 },
          accuracy: index % 3 === 0 ? null : (index % 6) / 10,
          ...(index % 4 > 0 && { set: index % 4 === 1 ? null : String(index % 4).repeat(64) }),
        };
        for (const store of [opened.store, memory])
          await plant(
            store,
            { task: slug, createdAt: index, number: index, taskVersion: 1 + (index % 7) },
            one,
          );
      }
      const conditions = fc.constantFrom(
        "metrics.accuracy > 0.1",
        "params.training.rate IN ('0.1', 'auto')",
        "params.none IS NULL",
        "measured_on = 'devices'",
        "rounds < 1",
        "version != 3",
        "started <= 11",
        "strategy ILIKE 'FED%'",
      );
      const orderings = fc.constantFrom(
        "metrics.accuracy",
        "metrics.accuracy DESC",
        "params.training.rate",
        "params.training.rate DESC",
        "version DESC",
        "measured_on",
        "rounds",
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(conditions, { maxLength: 2 }),
          fc.array(orderings, { maxLength: 2 }),
          fc.nat(6),
          async (filters, orderBy, offset) => {
            const filter = [`task = '${slug}'`, ...filters].join(" AND ");
            const asked = query(filter, orderBy, { offset, limit: 7 });
            const outcome = async (store: Role) => {
              const { runs, foundCount } = await searched(store, asked);
              return [foundCount, ...runs.map(({ runId }) => runId)];
            };
            expect(await outcome(opened.store)).toEqual(await outcome(memory));
          },
        ),
        { numRuns: 60 },
      );
    });
  });
}
