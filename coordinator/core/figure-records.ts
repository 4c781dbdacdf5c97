import { present } from "#shared/kernel/assert.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import { evaluationOf, type RunState } from "#shared/round/run.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import type { CoordinatorPorts, RoundRow, StoreRecord } from "./ports.ts";
import type { RoundDriver } from "./round-driver.ts";
import { figuresOf, measuresOfView } from "./round-view.ts";

interface FigureSource {
  readonly ports: Pick<CoordinatorPorts, "store" | "primitives">;
  /** Rounds of the run that are in memory. */
  readonly rounds: readonly (RoundDriver | null)[];
}

/** What an event of a run says about models that are published already. */
export interface Figures {
  readonly records: readonly StoreRecord[];
  /** Of the rounds whose models they are, as they are shown from now on. */
  readonly views: readonly RoundView[];
}

/**
 * The rows of rounds and model versions, with the figures that an event of their run brings, or with the reason why there
 * are none. Rule E3.
 */
export async function figuresAfter(
  source: FigureSource,
  before: RunState,
  after: RunState,
): Promise<Figures> {
  const settled = [
    ...after.curve.slice(before.curve.length),
    ...after.notEvaluated.slice(before.notEvaluated.length),
  ];
  const records: StoreRecord[] = [];
  const views: RoundView[] = [];
  for (const { round } of settled) {
    const evaluation = evaluationOf(after, round);
    const measures = evaluation?.measures ?? null;
    // The names that the rows of versions had first stay beside those by name.
    const metrics = measures === null ? null : { measures, ...measures };
    const { runId } = after.facts;
    if (round === 0) {
      const modelHash = initialModelOf(before, after);
      const version = { runId, round, modelHash, parentHash: null, strategyStateHash: null, metrics };
      if (metrics !== null) records.push({ type: "model-version", version });
      continue;
    }
    const { roundId, row } = await roundRow(source, runId, round);
    const { view, detail } = row.view;
    const shown: RoundView = { ...view, ...figuresOf(measuresOfView(view), evaluation) };
    views.push(shown);
    records.push({ type: "round-row", roundId, row: { ...row, view: { view: shown, detail } } });
    if (metrics === null) continue;
    const { modelHash, parentModelHash, deviceAccuracyBefore, deviceAccuracyAfter, updateNormL2 } = shown;
    const version = {
      runId,
      round,
      modelHash: present(modelHash, "a committed round has a model"),
      parentHash: parentModelHash,
      strategyStateHash: detail.transcript?.strategyStateHash ?? null,
      metrics: { ...metrics, deviceAccuracyBefore, deviceAccuracyAfter, updateNormL2 },
    };
    records.push({ type: "model-version", version });
  }
  return { records, views };
}

/** It waits for its figures, unless a log of an earlier version brought them with the start. */
function initialModelOf(before: RunState, after: RunState): string {
  const waiting = before.unevaluated.find(({ round }) => round === 0)?.modelHash;
  return waiting ?? present(after.modelHash, "a started run has a model");
}

async function roundRow(
  { ports, rounds }: FigureSource,
  runId: string,
  round: number,
): Promise<{ readonly roundId: string; readonly row: RoundRow }> {
  const living = rounds.find((driver) => driver?.state.facts.round === round);
  if (living != null) {
    const { state } = living;
    return {
      roundId: state.facts.roundId,
      row: { runId, round, phase: state.phase, view: living.views() },
    };
  }
  const roundId = await roundIdOf(ports.primitives, runId, round);
  return { roundId, row: present(await ports.store.findRound(roundId), `round ${round} has a row`) };
}
