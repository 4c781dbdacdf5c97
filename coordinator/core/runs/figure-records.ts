import { present } from "#shared/kernel/assert.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import { evaluationOf, type RunState } from "#shared/round/run.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import type { CoordinatorPorts, RoundRow, StoreRecord } from "../ports/ports.ts";
import type { RoundDriver } from "../rounds/round-driver.ts";
import { figuresOf } from "../views/round-view.ts";

interface FigureSource {
  readonly ports: Pick<CoordinatorPorts, "store" | "primitives">;
  /** The run's rounds that are in memory. */
  readonly rounds: readonly (RoundDriver | null)[];
}

/** What a run's event changes about models already published. */
export interface Figures {
  readonly records: readonly StoreRecord[];
  /** Updated views of the rounds that made these models. */
  readonly views: readonly RoundView[];
}

/**
 * Rows of rounds and model versions, updated with the figures from a run's event or with the reason why there
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
    const { runId } = after.facts;
    if (round === 0) {
      const modelHash = initialModelOf(before, after);
      const version = {
        runId,
        round,
        modelHash,
        parentHash: null,
        strategyStateHash: null,
        metrics: { measures },
      };
      if (measures !== null) records.push({ type: "model-version", version });
      continue;
    }
    const { roundId, row } = await roundRow(source, runId, round);
    const { view, detail } = row.view;
    const shown: RoundView = { ...view, ...figuresOf(view.measures, evaluation) };
    views.push(shown);
    records.push({ type: "round-row", roundId, row: { ...row, view: { view: shown, detail } } });
    if (measures === null) continue;
    const { modelHash, parentModelHash, measuredOn, reportHash, deviceMeasures } = shown;
    const { updateNormL2, survivors } = shown;
    const version = {
      runId,
      round,
      modelHash: present(modelHash, "a committed round has a model"),
      parentHash: parentModelHash,
      strategyStateHash: detail.transcript?.strategyStateHash ?? null,
      metrics: {
        measures,
        deviceMeasures,
        updateNormL2,
        ...(measuredOn !== undefined && { measuredOn }),
        ...(reportHash !== undefined && { reportHash }),
        ...(survivors !== null && { survivors }),
      },
    };
    records.push({ type: "model-version", version });
  }
  return { records, views };
}

/**
 * The initial model usually waits for its figures. A log of an earlier version brought them with the start.
 */
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
