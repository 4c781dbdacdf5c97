import type { OwnRunSearch, RunNames } from "#coordinator/core/ports/own-run-search.ts";
import type { Readable, RunRow } from "#coordinator/core/ports/store.ts";
import { measuredOnOf } from "#coordinator/core/tracking/measured-on.ts";
import type { Ordering } from "#shared/tracking/condition.ts";
import { compareBy, matches, type Searchable } from "#shared/tracking/match.ts";
import { isReadable } from "./memory-access.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import { searchableRun, wholeRun } from "./memory-tracking.ts";

/** Searches among the runs of a `memoryStore`; the databases are compared with it. */
export function ownSearchOf(db: MemoryDatabase, turn: () => Promise<void>): OwnRunSearch {
  const readableRuns = (readable: Readable) =>
    [...db.runs]
      .filter(([, row]) => isReadable(db, readable, { projectId: row.projectId, slug: row.task }))
      .map(([runId, row]) => ({ runId, row, seen: seenRun(db, runId, row) }));
  const names = (readable: Readable): RunNames => {
    const whole = readableRuns(readable).flatMap(({ runId }) => db.tracking.runs.get(runId) ?? []);
    const keys = (of: (run: ReturnType<typeof wholeRun>) => readonly { readonly key: string }[]) =>
      [...new Set(whole.flatMap((run) => of(wholeRun(run)).map(({ key }) => key)))].sort();
    return {
      params: keys(({ params }) => params),
      metrics: keys(({ metrics }) => metrics),
      tags: keys(({ tags }) => tags),
    };
  };
  return {
    findOwnRuns: async ({ readable, conditions, orderings }, { limit, offset }) => {
      await turn();
      const found = readableRuns(readable).filter(({ seen }) => matches(seen, conditions));
      found.sort(
        (left, right) =>
          compareOwn(orderings, left.seen, right.seen) ||
          right.row.createdAt - left.row.createdAt ||
          (left.runId < right.runId ? 1 : -1),
      );
      return found.slice(offset, offset + limit).map(({ runId }) => runId);
    },
    countOwnRuns: async ({ readable, conditions }) => {
      await turn();
      return readableRuns(readable).filter(({ seen }) => matches(seen, conditions)).length;
    },
    readOwnRuns: async (runIds) => {
      await turn();
      const runs = runIds.flatMap((runId) => {
        const row = db.runs.get(runId);
        if (row === undefined) return [];
        const tracked = db.tracking.runs.get(runId);
        const { params, tags, metrics } =
          tracked === undefined ? { params: [], tags: [], metrics: [] } : wholeRun(tracked);
        return [{ runId, ...row, params, tags, metrics }];
      });
      return { runs, readCount: runIds.length };
    },
    hasRunName: async (readable, entity, key) => {
      await turn();
      const { params, metrics } = names(readable);
      return (entity === "param" ? params : metrics).includes(key);
    },
    listRunNames: async (readable) => {
      await turn();
      return names(readable);
    },
  };
}

function seenRun(db: MemoryDatabase, runId: string, row: RunRow): Searchable {
  const tracked = db.tracking.runs.get(runId);
  const seen = tracked === undefined ? null : searchableRun(tracked);
  const attributes: Readonly<Record<string, string | number | null | undefined>> = {
    task: row.task,
    state: row.state,
    by: row.actor,
    run_id: runId,
    run: row.number,
    version: row.taskVersion,
    rounds: row.view.roundsCommitted,
    started: row.createdAt,
    ended: seen?.attribute("end_time"),
    run_name: seen?.attribute("run_name"),
    status: seen?.attribute("status"),
    measured_on: measuredOnOf(runId, row.view),
  };
  return {
    attribute: (key) => attributes[key],
    metric: (key) => seen?.metric(key),
    param: (key) => seen?.param(key),
    tag: (key) => seen?.tag(key),
  };
}

/** As `compareBy`, except that params which are numbers come first, ordered as numbers. */
function compareOwn(orderings: readonly Ordering[], left: Searchable, right: Searchable): number {
  for (const ordering of orderings) {
    const { entity, key, isAscending } = ordering;
    const [one, other] = [numberOf(left.param(key)), numberOf(right.param(key))];
    if (
      entity === "param" &&
      one !== other &&
      left.param(key) !== undefined &&
      right.param(key) !== undefined
    ) {
      if (one === null || other === null) return one === null ? 1 : -1;
      return one < other === isAscending ? -1 : 1;
    }
    const compared = compareBy([ordering])(left, right);
    if (compared !== 0) return compared;
  }
  return 0;
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(text) ? Number(text) : null;
}
