import type { RoundView, RunView } from "#shared/protocol/api.ts";
import type { Measures } from "#shared/stats/measure.ts";
import { lowerMedian } from "#shared/stats/median.ts";
import { listedMeasures } from "#shared/task/measures/index.ts";
import type { Coordinator } from "../../core/coordinator.ts";

const LOOK_MS = 250;
const PAGE = 200;

/** The last line of `--exit`. The newest model's measures are added to these under their names. */
export interface DemoSummary {
  readonly task: string;
  readonly rounds: number;
  readonly cohort: number;
  readonly survivors: number;
  readonly dropouts: number;
  readonly seconds: number;
  /** Median time from one round's opening to the next; null with fewer than two rounds. */
  readonly secondsPerRound: number | null;
  readonly bytesUpPerClient: number;
}

/**
 * Reports each round as it ends, until the run ends.
 *
 * @param since  Unix milliseconds. Rounds that ended earlier are in the result but not reported.
 * @returns Null if the demo is stopping.
 */
export async function followRun(
  coordinator: Coordinator,
  runId: string,
  since: number,
  say: (line: string) => void,
  isStopping: () => boolean,
): Promise<{ readonly run: RunView; readonly rounds: readonly RoundView[] } | null> {
  const ended = new Map<string, RoundView>();
  // Pages are in ascending order, so full ones no longer change.
  let cursor: string | undefined;
  let committedCount = 0;
  for (;;) {
    if (isStopping()) return null;
    const run = await coordinator.runs.runView(runId);
    if (run === null) return null;
    for (;;) {
      const page = await coordinator.rounds.listRounds(runId, { limit: PAGE, cursor });
      const told = page.items.filter(isSettled);
      for (const round of told) {
        if (round.endedAt === null || ended.has(round.roundId)) continue;
        ended.set(round.roundId, round);
        if (round.phase === "committed") committedCount += 1;
        if (Date.parse(round.endedAt) >= since) say(roundLine(round, committedCount, run.roundsPlanned));
      }
      if (page.next === null || told.length < page.items.length) break;
      cursor = page.next;
    }
    if (run.state === "completed" || run.state === "failed") return { run, rounds: [...ended.values()] };
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Whether the round no longer changes: its model has its figures or will get none. */
function isSettled({ phase, endedAt, measures, notEvaluated }: RoundView): boolean {
  return endedAt !== null && (phase !== "committed" || measures !== null || notEvaluated != null);
}

/** Rounds that were given up are numbered too, so the version is not the number of committed rounds. */
function roundLine(round: RoundView, committedCount: number, planned: number): string {
  const head = `round ${String(round.round).padStart(String(planned).length)}`;
  if (round.phase !== "committed") {
    const opened = round.opened ? "The sum is discarded." : "Nothing was opened.";
    return `${head}  given up (${round.code ?? "no code"}). ${opened}`;
  }
  const figures = [
    ...(round.version === undefined ? [] : [`version ${round.version}`]),
    `${committedCount} of ${planned} committed`,
    ...(round.measures === null ? ["not evaluated"] : measureWords(round.measures)),
    `${round.survivors ?? 0} of ${round.advertised ?? 0} in the sum`,
    `${round.nowS.toFixed(1)} s`,
  ];
  return `${head}  ${figures.join("  ")}`;
}

function measureWords(measures: Measures): readonly string[] {
  return listedMeasures(measures).map(
    ({ spec, measure: { value, halfWidth95, unit } }) =>
      `${spec.name} ${value.toFixed(3)} ± ${halfWidth95.toFixed(3)}${unit === undefined ? "" : ` ${unit}`}`,
  );
}

export function summarise(
  run: RunView,
  rounds: readonly RoundView[],
): DemoSummary & Readonly<Record<string, unknown>> {
  const committed = rounds.filter(({ phase }) => phase === "committed");
  const last = committed.at(-1);
  const newest = run.history.at(-1);
  const seconds =
    run.startedAt === null || run.endedAt === null
      ? 0
      : (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1_000;
  return {
    task: run.task,
    rounds: committed.length,
    ...Object.fromEntries(
      listedMeasures(newest?.measures ?? {}).map(({ spec, measure }) => [spec.name, measure.value]),
    ),
    cohort: last?.advertised ?? 0,
    survivors: last?.survivors ?? 0,
    // Devices that advertised in a round but are not in its sum.
    dropouts: committed.reduce((sum, round) => sum + (round.advertised ?? 0) - (round.survivors ?? 0), 0),
    seconds,
    secondsPerRound: medianSecondsPerRound(rounds),
    // A round's figures are those of one device.
    bytesUpPerClient: rounds.reduce(
      (sum, { traffic }) => sum + traffic.reduce((bytes, { upByteCount }) => bytes + upByteCount, 0),
      0,
    ),
  };
}

/** Includes rounds that were given up, since they take time as well. */
function medianSecondsPerRound(rounds: readonly RoundView[]): number | null {
  const openedMs = rounds.map(({ openedAt }) => Date.parse(openedAt)).sort((left, right) => left - right);
  const spans = openedMs.slice(1).map((atMs, index) => (atMs - (openedMs[index] ?? atMs)) / 1_000);
  return lowerMedian(spans);
}
