"use client";
import type { RunView } from "#shared/protocol/api.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { headlineOf } from "#shared/task/measures/index.ts";
import { ClassBars } from "../../chart/class-bars.tsx";
import { curveOf } from "../../chart/figure-series.ts";
import { useRunsById } from "../../data/queries.ts";
import { useReport } from "../../data/reports.ts";
import { classesApart } from "../../words/comparison.ts";
import { newestJudged, ON_DEVICES, curveOf as runCurve } from "../../words/run-curve.ts";
import { CurvesChart } from "./curves-chart.tsx";

interface PairProps {
  readonly first: ModelVersionView;
  readonly second: ModelVersionView;
  /** What rows are called. */
  readonly many: string;
}

/** The curves of the runs that two versions are from, on one chart, and each class of both. */
export function PairCurves({ first, second, many }: PairProps) {
  const runIds = [...new Set([second.runId, first.runId])];
  const runs = useRunsById(runIds);
  return (
    <>
      {runs.length === runIds.length && <Curves runs={runs} many={many} />}
      <Classes first={first} second={second} many={many} />
    </>
  );
}

function Curves({ runs, many }: { readonly runs: readonly RunView[]; readonly many: string }) {
  const judged = runs.map(newestJudged);
  const [set, spec] = [judged[0]?.measuredOn ?? null, headlineOf(judged[0]?.measures)?.spec];
  if (spec === undefined || judged.some((one) => headlineOf(one?.measures)?.spec !== spec))
    return (
      <p className="note">
        Their curves do not share a chart: not both runs have figures of the same measure.
      </p>
    );
  if (set === null || judged.some((one) => one?.measuredOn !== set))
    return (
      <p className="note">
        Their curves do not share a chart: the figures are not known to be of the same rows.
      </p>
    );
  return (
    <CurvesChart
      spec={spec}
      rows={set === ON_DEVICES ? `${many} that the devices of each run keep back` : `held-out ${many}`}
      fileName={`${runs.map(({ task, number }) => `${task}-run-${number}`).join("-and-")}-${spec.name}`}
      end={Math.max(...runs.map(({ roundsPlanned }) => roundsPlanned))}
      curves={runs.map((run) => ({
        name: `run ${run.number}`,
        label: `run ${run.number}`,
        points: curveOf(runCurve(run).points, spec),
      }))}
    />
  );
}

function Classes({ first, second, many }: PairProps) {
  const [one, other] = [useReport(second), useReport(first)];
  if (one.data === undefined || other.data === undefined) return null;
  const apart = classesApart(one.data, other.data);
  if (apart !== null) return apart === "" ? null : <p className="note">{apart}</p>;
  const [judged, against] = [one.data?.rows, other.data?.rows];
  if (judged?.kind !== "classes" || against?.kind !== "classes") return null;
  const names = { judged: `version ${second.version}`, other: `version ${first.version}` };
  return (
    <ClassBars
      title="Right, by class"
      note={`Share of the held-out ${many} of each class that a version gets right, 95 % intervals. Bar: ${names.judged}. Ring: ${names.other}. Where two intervals overlap widely, the difference may be chance.`}
      label={`Share of ${many} that are right, for ${judged.byClass.length} classes, of ${names.judged} and ${names.other}.`}
      fileName={`versions-${second.version}-and-${first.version}-classes`}
      names={names}
      bars={judged.byClass.map(({ name, recall }, index) => ({
        name,
        judged: recall,
        other: against.byClass[index]?.recall ?? { value: null, low: null, high: null },
      }))}
    />
  );
}
