import type { Coordinator } from "#coordinator/core/coordinator.ts";
import { RunSearchDesk } from "#coordinator/core/desks/run-search.ts";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { memoryDatabase } from "../fakes/memory-database.ts";
import { recordOwn } from "../fakes/memory-own-runs.ts";
import { ownSearchOf } from "../fakes/memory-own-search.ts";
import { addMetrics } from "../fakes/memory-tracking.ts";

/** The real search over made-up runs. */
function fakeSearch(runs: readonly RunView[]): Coordinator["runSearch"] {
  const db = memoryDatabase();
  for (const run of runs) {
    const row = {
      ...{ projectId: "default", task: run.task, taskVersion: run.taskVersion, number: run.number },
      ...{
        state: run.state,
        actor: run.launchedBy,
        createdAt: Date.parse(run.createdAt),
        view: run,
        newest: null,
      },
    };
    db.runs.set(run.runId, row);
    recordOwn(db, { type: "run-row", runId: run.runId, row }, row.createdAt);
    const tracked = db.tracking.runs.get(run.runId);
    if (tracked === undefined) continue;
    for (const { round, measures } of run.history)
      addMetrics(
        tracked,
        Object.entries(measures).map(([key, { value }]) => ({ key, value, timestamp: 0, step: round })),
      );
  }
  return new RunSearchDesk(
    ownSearchOf(db, async () => {}),
    () => null,
  );
}

/** The answer to a request below /experiments, with its status. */
export async function searchAnswer(
  runs: readonly RunView[],
  part: string | undefined,
  query: URLSearchParams,
): Promise<readonly [status: number, body: unknown]> {
  const search = fakeSearch(runs);
  if (part === "names") return [200, await search.names(ALL_READABLE)];
  const text = { filter: query.get("filter") ?? "", order: query.get("order") ?? "" };
  const page = { limit: Number(query.get("limit") ?? 50), cursor: query.get("cursor") ?? "" };
  const found = await search.search(ALL_READABLE, text, page);
  return found.ok ? [200, found.value] : [400, { error: found.error }];
}
