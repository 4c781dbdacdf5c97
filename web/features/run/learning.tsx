"use client";
import type { RoundView, RunView } from "#shared/protocol/api.ts";
import { CLASSIFICATION_MEASURES } from "#shared/task/measures.ts";
import { LineChart, type LineSeries, type ReferenceLine } from "../../chart/line-chart.tsx";
import { timesOfRounds, voicesOfRounds } from "../../chart/run-figures.ts";
import { roundsAxisEnd } from "../../chart/scale.ts";
import { TimeChart } from "../../chart/time-chart.tsx";
import { VoicesChart } from "../../chart/voices-chart.tsx";
import { formatCount, formatDecimal, formatMeasure } from "../../words/format.ts";
import { trendSentence } from "../../words/sentences.ts";

const [ACCURACY, LOSS] = CLASSIFICATION_MEASURES;

interface LearningProps {
  readonly run: RunView;
  readonly rounds: readonly RoundView[];
  /** For the benchmark of guessing; null while the task is fetched. */
  readonly classCount: number | null;
  readonly noun: { readonly one: string; readonly many: string };
}

/** Accuracy, loss, voices and time over the same rounds. */
export function Learning({ run, rounds, classCount, noun }: LearningProps) {
  const newest = Math.max(0, ...rounds.map(({ round }) => round), ...run.history.map(({ round }) => round));
  const x = [0, roundsAxisEnd(newest, run.roundsPlanned)] as const;
  const file = (name: string) => `${run.task}-run-${run.number}-${name}`;
  const heldOut = run.history.at(-1)?.accuracy.count;
  const rows =
    heldOut === undefined ? `held-out ${noun.many}` : `${formatCount(heldOut)} held-out ${noun.many}`;
  return (
    <div className="cols2">
      <LineChart
        title={ACCURACY.label}
        note={`Share of ${rows} put into the right class. Band: 95 % interval. Rings: on the devices' own kept-back rows, from the sums.`}
        label={trendSentence(
          ACCURACY.label,
          run.history.map(({ accuracy }) => accuracy),
        )}
        fileName={file("accuracy")}
        xTitle="round"
        yTitle={ACCURACY.name}
        yMost={1}
        x={x}
        series={[heldOutSeries(run, ACCURACY), ...deviceSeries(rounds)]}
        references={classCount === null ? [] : guessing(1 / classCount)}
      />
      <LineChart
        title={LOSS.label}
        note={`Cross-entropy on the same ${noun.many}, in ${LOSS.unit}; ${LOSS.better} is better. Band: 95 % interval.`}
        label={trendSentence(
          LOSS.label,
          run.history.map(({ loss }) => loss),
        )}
        fileName={file("loss")}
        xTitle="round"
        yTitle={`${LOSS.name}, ${LOSS.unit}`}
        x={x}
        series={[heldOutSeries(run, LOSS)]}
        references={classCount === null ? [] : guessing(Math.log(classCount))}
      />
      <VoicesChart rounds={voicesOfRounds(rounds)} x={x} fileName={file("voices")} />
      <TimeChart rounds={timesOfRounds(rounds)} x={x} fileName={file("time")} />
    </div>
  );
}

function guessing(y: number): ReferenceLine[] {
  return [{ y, label: `${formatDecimal(y)} guessing` }];
}

function heldOutSeries(run: RunView, { name }: typeof ACCURACY | typeof LOSS): LineSeries {
  const last = run.history.at(-1)?.[name];
  return {
    name: `held-out ${name}`,
    colour: "sum",
    shape: "line",
    points: run.history.map((entry) => ({
      x: entry.round,
      y: entry[name].value,
      halfWidth: entry[name].halfWidth95,
    })),
    labels: last === undefined ? [] : [formatMeasure(last), "held out"],
  };
}

/** What devices measured before round r is about the model of round r - 1. */
function deviceSeries(rounds: readonly RoundView[]): LineSeries[] {
  const points = rounds.flatMap(({ round, deviceAccuracyBefore }) =>
    deviceAccuracyBefore === null
      ? []
      : [{ x: round - 1, y: deviceAccuracyBefore.value, halfWidth: deviceAccuracyBefore.halfWidth95 }],
  );
  if (points.length === 0) return [];
  return [{ name: "accuracy on devices", colour: "ink", shape: "rings", points, labels: ["on devices"] }];
}
