import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { FILE_RUNS_MAX, type FoundRun } from "#shared/protocol/run-search.ts";
import type { Measure } from "#shared/stats/measure.ts";
import { capitalise, countInWords, formatCount, plural } from "./format.ts";
import { type MeasuredOn, newestJudged } from "./run-curve.ts";
import { runName } from "./sentences.ts";

/* Runs side by side: what is known of each, and what tells two apart. Pure. */

export interface ExperimentRow {
  readonly run: RunView;
  /** Of its task; null if it is not known. */
  readonly view: TaskView | null;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  /** Newest values as MLflow's clients see them. */
  readonly metrics: ReadonlyMap<string, number>;
  /** Newest figures of its own versions, by measure. */
  readonly measures: Readonly<Record<string, Measure>>;
  /** The rows that these were measured on. Null if that is not known, and without figures. */
  readonly measuredOn: MeasuredOn | null;
  /** The promoted version, if it is one of the run's; null otherwise. */
  readonly versionInUse: number | null;
  /** True if the figures are those of the promoted version, which is not always the run's last. */
  readonly isInUse: boolean;
}

/** What the coordinator keeps of a run for MLflow's clients. */
type Tracked = Pick<FoundRun, "params" | "tags" | "metrics">;

const UNTRACKED: Tracked = { params: [], tags: [], metrics: [] };

/** @param tracked  Absent for a run that no search has brought; its params are then those of its plan. */
export function experimentRow(
  run: RunView,
  view: TaskView | null,
  tracked: Tracked = UNTRACKED,
): ExperimentRow {
  const { strategy, training, seed, roundsPlanned: rounds } = run;
  const judged = newestJudged(run);
  const inUse = view?.inUse;
  const versionInUse = inUse?.runId === run.runId && inUse.alias === "champion" ? inUse.version : null;
  return {
    run,
    view,
    params: new Map([
      ...flat("strategy", strategy),
      ...flat("training", training),
      ...flat("", { rounds, seed }),
      ...tracked.params.map(({ key, value }) => [key, value] as const),
    ]),
    tags: new Map(tracked.tags.map(({ key, value }) => [key, value])),
    metrics: new Map(tracked.metrics.flatMap(({ key, value }) => (value === null ? [] : [[key, value]]))),
    measures: judged?.measures ?? {},
    measuredOn: judged?.measuredOn ?? null,
    versionInUse,
    isInUse:
      versionInUse !== null &&
      versionInUse === run.candidate &&
      judged?.round === (run.newestVersion ?? judged?.round),
  };
}

/** Options of options get a dot: training.optimizer.learningRate. */
function flat(prefix: string, value: object): (readonly [string, string])[] {
  return Object.entries(value).flatMap(([name, part]: [string, unknown]) => {
    const key = prefix === "" ? name : `${prefix}.${name}`;
    if (part === undefined || part === null) return [];
    if (typeof part === "object" && !Array.isArray(part)) return flat(key, part);
    return [[key, typeof part === "string" ? part : JSON.stringify(part)] as const];
  });
}

/** Which runs a file of a search holds. */
export function fileOfFound(foundCount: number): string {
  return foundCount > FILE_RUNS_MAX
    ? `The first ${formatCount(FILE_RUNS_MAX)} of ${formatCount(foundCount)} runs that the filter finds`
    : `All ${plural(foundCount, "run")} that the filter finds`;
}

/** "23 runs.", or "The filter finds 12 of 23 runs." */
export function experimentsLead({ foundCount, allCount }: Counts, filter: string): string {
  if (allCount === 0) return "No run yet.";
  if (filter === "") return `${capitalise(plural(allCount, "run"))}.`;
  return `The filter finds ${formatCount(foundCount)} of ${plural(allCount, "run")}.`;
}

interface Counts {
  readonly foundCount: number;
  readonly allCount: number;
}

/** Which params of two runs differ, and the names of those that are the same. */
export function paramDifference(
  first: ExperimentRow,
  second: ExperimentRow,
): {
  readonly differ: readonly { readonly name: string; readonly first: string; readonly second: string }[];
  readonly same: readonly string[];
} {
  const names = [...new Set([...first.params.keys(), ...second.params.keys()])];
  const of = (row: ExperimentRow, name: string) => row.params.get(name) ?? "none";
  const isSame = (name: string) => of(first, name) === of(second, name);
  return {
    differ: names
      .filter((name) => !isSame(name))
      .map((name) => ({ name, first: of(first, name), second: of(second, name) })),
    same: names.filter(isSame).map((name) => `${name} ${of(first, name)}`),
  };
}

export type Paired =
  | { readonly ok: true; readonly pair: { readonly first: number; readonly second: number } }
  | { readonly ok: false; readonly sentence: string };

/** The versions by which two runs are compared, or why they cannot be. */
export function pairOf(first: ExperimentRow, second: ExperimentRow): Paired {
  const no = (sentence: string): Paired => ({ ok: false, sentence });
  if (first.run.task !== second.run.task) return no("Not comparable: they are runs of two tasks.");
  const [one, other] = [first.run.candidate ?? null, second.run.candidate ?? null];
  if (one === null || other === null)
    return no("Not comparable: one of them has no version, because no round of it has committed.");
  if (first.view?.heldOut?.isUsed !== true)
    return no(
      "Not comparable on the same rows: the task has no held-out rows. Their figures stand in the table.",
    );
  return { ok: true, pair: { first: one, second: other } };
}

/** "digits, run 4, version 22" */
export function lastVersionWords({ run }: ExperimentRow): string {
  return run.candidate == null ? `${runName(run)}, no version` : `${runName(run)}, version ${run.candidate}`;
}

/** "Three are ticked. Two of them have a verdict on the same rows; untick the others." */
export function tickedWords(rows: readonly unknown[]): string {
  return `${capitalise(countInWords(rows.length))} are ticked. For a verdict on the same rows, leave two.`;
}
