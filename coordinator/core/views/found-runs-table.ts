import type { FoundRunView } from "../coordinator.ts";
import type { TypedColumn } from "./table-file.ts";

/** What a table shows of a run. A view holds all curves of its run, so it is not kept. */
export interface FoundRunRow {
  readonly run: Pick<FoundRunView["run"], RunField>;
  readonly params: ReadonlyMap<string, string>;
  readonly metrics: ReadonlyMap<string, number | null>;
}

type RunField =
  | "task"
  | "taskVersion"
  | "number"
  | "runId"
  | "state"
  | "launchedBy"
  | "createdAt"
  | "endedAt"
  | "roundsPlanned"
  | "roundsCommitted";

type Column = TypedColumn<FoundRunRow>;

const RUN_COLUMNS: readonly Column[] = [
  { name: "task", type: "text", value: ({ run }) => run.task },
  { name: "task_version", type: "count", value: ({ run }) => run.taskVersion },
  { name: "run", type: "count", value: ({ run }) => run.number },
  { name: "run_id", type: "text", value: ({ run }) => run.runId },
  { name: "state", type: "text", value: ({ run }) => run.state },
  { name: "launched_by", type: "text", value: ({ run }) => run.launchedBy },
  { name: "started_at", type: "instant", value: ({ run }) => run.createdAt },
  { name: "ended_at", type: "instant", value: ({ run }) => run.endedAt },
  { name: "rounds_planned", type: "count", value: ({ run }) => run.roundsPlanned },
  { name: "rounds_committed", type: "count", value: ({ run }) => run.roundsCommitted },
];

export function foundRunRow({ run, params, metrics }: FoundRunView): FoundRunRow {
  const { task, taskVersion, number, runId, state, launchedBy } = run;
  const { createdAt, endedAt, roundsPlanned, roundsCommitted } = run;
  return {
    run: {
      task,
      taskVersion,
      number,
      runId,
      state,
      launchedBy,
      createdAt,
      endedAt,
      roundsPlanned,
      roundsCommitted,
    },
    params: new Map(params.map(({ key, value }) => [key, value])),
    metrics: new Map(metrics.map(({ key, value }) => [key, value])),
  };
}

/**
 * One row a run: what it is, then every param and the newest value of every metric that one of the runs has. MLflow's
 * clients name these columns so in `search_runs`.
 */
export function columnsOf(rows: readonly FoundRunRow[]): readonly Column[] {
  return [
    ...RUN_COLUMNS,
    ...keysOf(rows.map(({ params }) => params)).map(
      (key): Column => ({
        name: `params.${key}`,
        type: "text",
        value: ({ params }) => params.get(key) ?? null,
      }),
    ),
    ...keysOf(rows.map(({ metrics }) => metrics)).map(
      (key): Column => ({
        name: `metrics.${key}`,
        type: "number",
        value: ({ metrics }) => metrics.get(key) ?? null,
      }),
    ),
  ];
}

function keysOf(maps: readonly ReadonlyMap<string, unknown>[]): readonly string[] {
  return [...new Set(maps.flatMap((map) => [...map.keys()]))].sort();
}
