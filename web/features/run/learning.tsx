"use client";
import type { RoundView, RunView } from "#shared/protocol/api.ts";
import { type MeasureSpec, measuresIn, measuresOf } from "#shared/task/measures/index.ts";
import type { Target } from "#shared/task/target.ts";
import { curveOf, heldOutSeries, otherSetSeries } from "../../chart/figure-series.ts";
import { LineChart, type LineSeries } from "../../chart/line-chart.tsx";
import { onDevicesOf, timesOfRounds, voicesOfRounds } from "../../chart/run-figures.ts";
import { roundsAxisEnd } from "../../chart/scale.ts";
import { TimeChart } from "../../chart/time-chart.tsx";
import { VoicesChart } from "../../chart/voices-chart.tsx";
import { formatCount } from "../../words/format.ts";
import { axisTitle, chartNote, guessLines } from "../../words/measures.ts";
import { bySet } from "../../words/run-curve.ts";
import { trendSentence } from "../../words/sentences.ts";

interface LearningProps {
  readonly run: RunView;
  readonly rounds: readonly RoundView[];
  /** For the level of guessing; null while the task is being fetched. */
  readonly target: Target | null;
  /** Of each class among the held-out rows of the newest figures; null if unknown. */
  readonly shares?: readonly number[] | null;
  readonly noun: { readonly one: string; readonly many: string };
}

/** Every measure, voices and time over the same rounds. */
export function Learning({ run, rounds, target, shares = null, noun }: LearningProps) {
  const newest = Math.max(0, ...rounds.map(({ round }) => round), ...run.history.map(({ round }) => round));
  const x = [0, roundsAxisEnd(newest, run.roundsPlanned)] as const;
  const onDevices = onDevicesOf(run, rounds);
  const file = (name: string) => `${run.task}-run-${run.number}-${name.replaceAll(" ", "-")}`;
  return (
    <div className="cols2">
      {measuresShown(run, rounds, target).map((spec) => {
        const stretches = bySet(run.history).map((stretch) => curveOf(stretch, spec));
        const points = stretches.pop() ?? [];
        const judged = points.length > 0 ? points : curveOf(onDevices, spec);
        const count = points.at(-1)?.measure.count;
        const rows = `held-out ${noun.many}`;
        return (
          <LineChart
            key={spec.name}
            title={spec.label}
            note={chartNote(spec, count === undefined ? rows : `${formatCount(count)} ${rows}`)}
            label={trendSentence(
              spec.label,
              judged.map(({ measure }) => measure),
            )}
            fileName={file(spec.name)}
            xTitle="round"
            yTitle={axisTitle(spec, judged[0]?.measure)}
            yMost={spec.unit === "share" ? 1 : undefined}
            x={x}
            series={[
              ...stretches.map((earlier, index) => otherSetSeries(spec, earlier, index)),
              heldOutSeries(spec, points),
              ...deviceSeries(spec, onDevices),
            ]}
            references={target === null ? [] : guessLines(spec, target, shares)}
          />
        );
      })}
      <VoicesChart rounds={voicesOfRounds(rounds)} x={x} fileName={file("voices")} />
      <TimeChart rounds={timesOfRounds(rounds)} x={x} fileName={file("time")} />
    </div>
  );
}

/** The measures of the figures that are there; before there are any, those that a task of its kind will have. */
function measuresShown(
  { history }: RunView,
  rounds: readonly RoundView[],
  target: Target | null,
): readonly MeasureSpec[] {
  const shown = measuresIn([
    ...history.map(({ measures }) => measures),
    ...rounds.map(({ deviceMeasures }) => deviceMeasures.before),
  ]);
  return shown.length > 0 || target === null ? shown : measuresOf(target);
}

function deviceSeries(
  { name, inText = name }: MeasureSpec,
  onDevices: NonNullable<RunView["deviceHistory"]>,
): LineSeries[] {
  const points = onDevices.flatMap(({ round, measures }) => {
    const measure = measures[name];
    return measure === undefined ? [] : [{ x: round, y: measure.value, halfWidth: measure.halfWidth95 }];
  });
  if (points.length === 0) return [];
  return [{ name: `${inText} on devices`, colour: "ink", shape: "rings", points, labels: ["on devices"] }];
}
