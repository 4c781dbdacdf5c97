"use client";
import { memo } from "react";
import type {
  BackendName,
  BudgetView,
  ContributionSummary,
  EngineView,
  OwnRound,
  Participant,
} from "#client/index.ts";
import type { Features } from "#shared/task/features.ts";
import { targetOf } from "#shared/task/target.ts";
import { LineChart } from "../../chart/line-chart.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { ENGINE_NAMES, engineNote } from "../../words/engine.ts";
import { formatCount, formatDecimal } from "../../words/format.ts";
import {
  budgetWords,
  lossSentence,
  lossUnit,
  ownFigures,
  speedSentence,
  stepTime,
} from "../../words/training.ts";
import { Part } from "./part.tsx";

/** A budget of more rounds than this is drawn as a bar, not as ticks. */
const TICKS_MAX = 60;

/** Part 3: training on this device: the loss that only this device sees, its speed, and its limit of rounds. */
export const TrainingPart = memo(function TrainingPart(props: {
  readonly participant: Participant;
  readonly engine: EngineView;
  readonly round: OwnRound | null;
  readonly last: ContributionSummary | null;
  readonly budget: BudgetView;
  readonly many: string;
  readonly features: Features;
}) {
  const { participant, engine, round, last, budget, many, features } = props;
  // The unit of the loss and the words for the model's answers follow from what the task learns.
  const target = targetOf(features);
  const learns = target.kind;
  const figures = last === null ? null : ownFigures(target, last, many);
  const live = round?.training?.epochLosses ?? [];
  const loss =
    round !== null && (live.length > 1 || (live.length === 1 && last === null))
      ? { round: round.round, losses: live }
      : last !== null && last.epochLosses.length > 0
        ? { round: last.round, losses: last.epochLosses }
        : null;
  return (
    <Part number={3} id="training" title="Training here" note={engineNote(engine)}>
      <div className="cols3">
        {loss === null ? (
          <div>
            <h3>Your loss</h3>
            <p className="note">
              After each pass over your {many}, in {lossUnit(learns)}. It appears here once this device has
              trained. You alone see it.
            </p>
          </div>
        ) : (
          <div>
            <OwnLoss round={loss.round} losses={loss.losses} many={many} unit={lossUnit(learns)} />
            {figures !== null && <p className="mt-3 max-w-[40ch] text-sm">{figures} You alone see it.</p>}
          </div>
        )}
        <EngineTable participant={participant} engine={engine} />
        <OwnLimit budget={budget} />
      </div>
    </Part>
  );
});

function OwnLoss(props: {
  readonly round: number;
  readonly losses: readonly number[];
  readonly many: string;
  readonly unit: string;
}) {
  const { round, losses, many, unit } = props;
  return (
    <LineChart
      title={`Round ${round}, your loss`}
      note={`After each pass over your ${many}, in ${unit}. Lower is better. You alone see it.`}
      label={lossSentence(losses)}
      fileName={`loss-round-${round}`}
      xTitle="pass"
      yTitle={unit}
      x={[1, Math.max(2, losses.length)]}
      yFromZero
      height={168}
      series={[
        {
          name: "your loss",
          colour: "you",
          shape: "line",
          points: losses.map((y, index) => ({ x: index + 1, y })),
          labels: [formatDecimal(losses.at(-1) ?? 0)],
        },
      ]}
    />
  );
}

function EngineTable({
  participant,
  engine,
}: {
  readonly participant: Participant;
  readonly engine: EngineView;
}) {
  const choices = engine.table.filter(
    ({ msPerStep, untimed }) => msPerStep !== null || untimed !== undefined,
  );
  const rows = engine.table.toSorted((a, b) => (a.msPerStep ?? Infinity) - (b.msPerStep ?? Infinity));
  return (
    <div>
      <h3>How fast</h3>
      <p className="note mb-2">{speedSentence(engine)}</p>
      {rows.length > 0 && (
        <>
          <DataTable
            caption="Engines on this device"
            rows={rows}
            rowKey={({ backend }) => backend}
            columns={[
              {
                label: "Engine",
                cell: (row) => (
                  <>
                    {ENGINE_NAMES[row.backend]}
                    {row.backend === engine.backend && ", in use"}
                    {row.note !== null && <span className="block text-xs text-ink-3">{row.note}</span>}
                  </>
                ),
              },
              { label: "ms per step", numeric: true, cell: (row) => stepTime(row) },
            ]}
          />
          {choices.length > 1 && (
            <label className="field mt-3 max-w-56">
              Use
              <select
                value={engine.backend ?? ""}
                disabled={engine.calibrating}
                onChange={(event) =>
                  void participant.setBackend(
                    event.target.value === "" ? null : (event.target.value as BackendName),
                  )
                }
              >
                <option value="">the fastest, timed again</option>
                {choices.map(({ backend }) => (
                  <option key={backend} value={backend}>
                    {ENGINE_NAMES[backend]}
                  </option>
                ))}
              </select>
            </label>
          )}
        </>
      )}
    </div>
  );
}

function OwnLimit({ budget }: { readonly budget: BudgetView }) {
  const { used, limit } = budget;
  return (
    <div>
      <h3>This device's own limit</h3>
      <p className="note mb-3">It refuses further rounds after {formatCount(limit)}, whoever asks.</p>
      <BudgetTicks used={used} limit={limit} />
      <p className="mt-2.5 text-sm text-ink-2">
        {budgetWords(budget)}. If you hide this tab or lose the network, the device counts as gone and may
        come back in the next round.
      </p>
    </div>
  );
}

/** One tick for each round: used ones thick and in the person's own colour. */
function BudgetTicks({ used, limit }: BudgetView) {
  const label = budgetWords({ used, limit });
  if (limit > TICKS_MAX) {
    return (
      <svg
        viewBox="0 0 100 22"
        preserveAspectRatio="none"
        className="h-2 w-full max-w-60"
        role="img"
        aria-label={label}
      >
        <rect width="100" height="22" className="fill-rule" />
        <rect width={Math.min(100, (100 * used) / limit)} height="22" className="bar-you" />
      </svg>
    );
  }
  return (
    <svg width={limit * 7} height={22} role="img" aria-label={label} className="max-w-full">
      {Array.from({ length: limit }, (_, index) => (
        <rect
          // biome-ignore lint/suspicious/noArrayIndexKey: a tick is its place
          key={index}
          x={index * 7}
          width={index < used ? 3 : 2}
          height={22}
          className={index < used ? "bar-you" : "fill-voice-1"}
        />
      ))}
    </svg>
  );
}
