import { ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { TrackedRuns } from "./runs.ts";

/** A data set that runs of an experiment have noted. */
export interface DatasetSummary {
  readonly experimentId: string;
  readonly name: string;
  readonly digest: string;
  /** What it was used for, such as "training"; empty if the run did not say. */
  readonly context: string;
}

const SUMMARIES_MAX = 1_000;
const RUNS_PER_PAGE = 1_000;

/** Each data set, experiment and use once, of the newest runs first; 1,000 at most. Errors: those of a search of runs. */
export async function datasetsOf(
  runs: Pick<TrackedRuns, "search">,
  projectId: string,
  experimentIds: readonly string[],
): Promise<Result<readonly DatasetSummary[], WireError>> {
  const found = new Map<string, DatasetSummary>();
  let pageToken: string | null = "";
  while (pageToken !== null && found.size < SUMMARIES_MAX) {
    const page: Awaited<ReturnType<TrackedRuns["search"]>> = await runs.search(projectId, {
      filter: "datasets.name LIKE '%'",
      orderBy: [],
      maxResults: RUNS_PER_PAGE,
      pageToken,
      experimentIds,
      shows: "active",
    });
    if (!page.ok) return page;
    for (const { run, links } of page.value.items)
      for (const { kind, name, digest, context } of links) {
        if (kind !== "dataset") continue;
        const summary = { experimentId: run.experimentId, name, digest, context };
        found.set(JSON.stringify(summary), summary);
      }
    pageToken = page.value.nextPageToken;
  }
  return ok([...found.values()].slice(0, SUMMARIES_MAX));
}
