import { ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { TrackedMetric } from "../ports/tracking-store.ts";
import { sampledIndexes } from "./metric-samples.ts";
import type { TrackedRuns } from "./runs.ts";

/** A value of one of several runs. */
export interface RunMetric {
  readonly runId: string;
  readonly metric: TrackedMetric;
}

/** Both ends included; null for all steps. */
export interface StepRange {
  readonly first: number;
  readonly last: number;
}

/** The history of one metric in several runs, for charts. Rule L2. */
export class Histories {
  readonly #runs: Pick<TrackedRuns, "history">;

  constructor(runs: Pick<TrackedRuns, "history">) {
    this.#runs = runs;
  }

  /** By run, then by step and time; the first `maxResults` of all. Errors: NOT_FOUND. */
  async ofRuns(
    projectId: string,
    runIds: readonly string[],
    key: string,
    maxResults: number,
  ): Promise<Result<readonly RunMetric[], WireError>> {
    const found: RunMetric[] = [];
    for (const runId of [...new Set(runIds)].sort()) {
      const left = maxResults - found.length;
      if (left <= 0) break;
      const page = await this.#runs.history(projectId, runId, key, { maxResults: left, pageToken: "" });
      if (!page.ok) return page;
      found.push(...page.value.items.map((metric) => ({ runId, metric })));
    }
    return ok(found);
  }

  /** Of each run at most `maxResults` values, evenly spaced, as `sampledIndexes` says. Errors: NOT_FOUND. */
  async sampled(
    projectId: string,
    runIds: readonly string[],
    key: string,
    { maxResults, steps }: { readonly maxResults: number; readonly steps: StepRange | null },
  ): Promise<Result<readonly RunMetric[], WireError>> {
    const found: RunMetric[] = [];
    for (const runId of runIds) {
      let count = 0;
      const counted = await this.#each(projectId, runId, key, steps, () => void count++);
      if (!counted.ok) return counted;
      const shown = new Set(sampledIndexes(count, maxResults));
      let index = 0;
      const picked = await this.#each(projectId, runId, key, steps, (metric) => {
        if (shown.has(index++)) found.push({ runId, metric });
      });
      if (!picked.ok) return picked;
    }
    return ok(found);
  }

  /** Visits a history page by page: it may be longer than memory should hold. */
  async #each(
    projectId: string,
    runId: string,
    key: string,
    steps: StepRange | null,
    visit: (metric: TrackedMetric) => void,
  ): Promise<Result<void, WireError>> {
    let pageToken: string | null = "";
    while (pageToken !== null) {
      const page: Awaited<ReturnType<TrackedRuns["history"]>> = await this.#runs.history(
        projectId,
        runId,
        key,
        {
          maxResults: null,
          pageToken,
        },
      );
      if (!page.ok) return page;
      for (const metric of page.value.items)
        if (steps === null || (metric.step >= steps.first && metric.step <= steps.last)) visit(metric);
      pageToken = page.value.nextPageToken;
    }
    return ok(undefined);
  }
}
