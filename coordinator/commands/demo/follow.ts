import type { RoundView, RunView } from "#shared/protocol/api.ts";
import type { Measure } from "#shared/stats/measure.ts";
import type { Coordinator } from "../../core/coordinator.ts";

const LOOK_MS = 250;
const PAGE = 200;

/** The last line of `--exit`. */
export interface DemoSummary {
  readonly task: string;
  readonly rounds: number;
  readonly accuracy: number | null;
  readonly loss: number | null;
  readonly cohort: number;
  readonly survivors: number;
  readonly dropouts: number;
  readonly seconds: number;
  /** Median, from one round's opening to the next; null with fewer than two rounds. */
  readonly secondsPerRound: number | null;
  readonly bytesUpPerClient: number;
}

/**
 * Tells each round as it ends, until the run has.
 *
 * @param since  Unix milliseconds: rounds that ended before are in the result but not told.
 * @returns Null where the demo is stopping.
 */
export async function followRun(
  coordinator: Coordinator,
  runId: string,
  since: number,
  say: (line: string) => void,
  isStopping: () => boolean,
): Promise<{ readonly run: RunView; readonly rounds: readonly RoundView[] } | null> {
  const ended = new Map<string, RoundView>();
  // Pages are ascending: full ones do not change any more.
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

/** Whether nothing about it changes any more: its model has figures, or gets none. */
function isSettled({ phase, endedAt, accuracy, notEvaluated }: RoundView): boolean {
  return endedAt !== null && (phase !== "committed" || accuracy !== null || notEvaluated != null);
}

/** Rounds that were given up have numbers too, so the count of models stands beside. */
function roundLine(round: RoundView, committedCount: number, planned: number): string {
  const head = `round ${String(round.round).padStart(String(planned).length)}`;
  if (round.phase !== "committed") {
    const opened = round.opened ? "The sum is discarded." : "Nothing was opened.";
    return `${head}  given up (${round.code ?? "no code"}). ${opened}`;
  }
  const figures = [
    `model ${committedCount} of ${planned}`,
    ...(round.accuracy === null
      ? ["not evaluated"]
      : [`accuracy ${measure(round.accuracy)}`, `loss ${measure(round.loss)}`]),
    `${round.survivors ?? 0} of ${round.advertised ?? 0} in the sum`,
    `${round.nowS.toFixed(1)} s`,
  ];
  return `${head}  ${figures.join("  ")}`;
}

function measure(measure: Measure | null): string {
  return measure === null ? "none" : `${measure.value.toFixed(3)} ± ${measure.halfWidth95.toFixed(3)}`;
}

export function summarise(run: RunView, rounds: readonly RoundView[]): DemoSummary {
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
    accuracy: newest?.accuracy.value ?? null,
    loss: newest?.loss.value ?? null,
    cohort: last?.advertised ?? 0,
    survivors: last?.survivors ?? 0,
    // Devices that had announced themselves for a round that was then made without them.
    dropouts: committed.reduce((sum, round) => sum + (round.advertised ?? 0) - (round.survivors ?? 0), 0),
    seconds,
    secondsPerRound: medianSecondsPerRound(rounds),
    // The figures of a round are those of one device.
    bytesUpPerClient: rounds.reduce(
      (sum, { traffic }) => sum + traffic.reduce((bytes, { upByteCount }) => bytes + upByteCount, 0),
      0,
    ),
  };
}

/** Rounds that were given up count too: they take their time as well. */
function medianSecondsPerRound(rounds: readonly RoundView[]): number | null {
  const openedMs = rounds.map(({ openedAt }) => Date.parse(openedAt)).sort((left, right) => left - right);
  const spans = openedMs.slice(1).map((atMs, index) => (atMs - (openedMs[index] ?? atMs)) / 1_000);
  return spans.sort((left, right) => left - right)[Math.floor((spans.length - 1) / 2)] ?? null;
}
