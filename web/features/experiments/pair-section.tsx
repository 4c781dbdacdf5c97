"use client";
import type { TaskView } from "#shared/protocol/api.ts";
import { headlineOf } from "#shared/task/measures/index.ts";
import { curveOf } from "../../chart/figure-series.ts";
import { useComparison } from "../../data/models.ts";
import { useRunsById } from "../../data/queries.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import { areOnSameRows } from "../../words/experiment-sets.ts";
import {
  type ExperimentRow,
  experimentRow,
  lastVersionWords,
  pairOf,
  paramDifference,
  tickedWords,
} from "../../words/experiments.ts";
import { ON_DEVICES, curveOf as runCurve } from "../../words/run-curve.ts";
import { runName } from "../../words/sentences.ts";
import { ComparisonFound } from "../models/comparison-found.tsx";
import { CurvesChart } from "../models/curves-chart.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { useChosen } from "./use-chosen.ts";

interface PairSectionProps {
  /** Of the page that is shown. */
  readonly rows: readonly ExperimentRow[];
  readonly viewOf: (task: string) => TaskView | null;
}

/** The ticked runs: of two the verdict, what differs and what is the same; of all of them their curves in one chart. */
export function PairSection({ rows, viewOf }: PairSectionProps) {
  const { chosen, clear } = useChosen();
  const known = (runId: string) => rows.find(({ run }) => run.runId === runId);
  // A ticked run may stand on another page.
  const others = useRunsById(chosen.filter((runId) => known(runId) === undefined));
  const ticked = chosen.flatMap((runId) => {
    const other = others.find((run) => run.runId === runId);
    return known(runId) ?? (other === undefined ? [] : experimentRow(other, viewOf(other.task)));
  });
  const [first, second] = ticked;
  if (first === undefined || second === undefined) {
    return (
      <Section id="pair" title="Two runs" note="Tick two in the table, or up to six for their curves.">
        <p className="note">
          {first === undefined ? "None is ticked." : `${runName(first.run)} is ticked; one more.`}
        </p>
      </Section>
    );
  }
  const isPair = ticked.length === 2;
  return (
    <Section
      id="pair"
      title={isPair ? "Two runs" : "Ticked runs"}
      note={
        isPair
          ? `By their last versions: ${lastVersionWords(first)}, ${lastVersionWords(second)}.`
          : tickedWords(ticked)
      }
    >
      <div className="grid gap-8">
        {isPair && <Verdict first={first} second={second} />}
        <Curves rows={ticked} />
        {isPair && <Differences first={first} second={second} />}
        <p>
          <Button onClick={clear}>Choose none</Button>
        </p>
      </div>
    </Section>
  );
}

interface PairProps {
  readonly first: ExperimentRow;
  readonly second: ExperimentRow;
}

function Verdict({ first, second }: PairProps) {
  const found = pairOf(first, second);
  const comparison = useComparison(first.run.task, found.ok ? found.pair : null);
  if (!found.ok) return <p className="read">{found.sentence}</p>;
  const many = first.view?.task.exampleNoun.many ?? "rows";
  return (
    <QueryGate query={comparison} what="comparison">
      {(value) => <ComparisonFound comparison={value} pair={found.pair} many={many} />}
    </QueryGate>
  );
}

/** Curves of their headline, if it is the same measure on the same rows. */
function Curves({ rows }: { readonly rows: readonly ExperimentRow[] }) {
  const [first] = rows;
  const headlines = rows.map(({ measures }) => headlineOf(measures));
  const [headline] = headlines;
  if (first === undefined || headline == null || headlines.some((one) => one?.spec !== headline.spec))
    return (
      <p className="note">Their curves do not share a chart: not all have figures of the same measure.</p>
    );
  if (!rows.slice(1).every((row) => areOnSameRows(first, row)))
    return (
      <p className="note">
        Their curves do not share a chart: the figures are not known to be of the same rows.
      </p>
    );
  const { spec } = headline;
  return (
    <CurvesChart
      spec={spec}
      rows={first.measuredOn === ON_DEVICES ? "rows that the devices of each run keep back" : "held-out rows"}
      fileName={`${rows.map(({ run }) => `${run.task}-run-${run.number}`).join("-and-")}-${spec.name}`}
      end={Math.max(...rows.map(({ run }) => run.roundsPlanned))}
      curves={rows.map(({ run }) => ({
        name: runName(run),
        label: `run ${run.number}`,
        points: curveOf(runCurve(run).points, spec),
      }))}
    />
  );
}

function Differences({ first, second }: PairProps) {
  const { differ, same } = paramDifference(first, second);
  return (
    <div className="grid gap-3">
      {differ.length > 0 && (
        <DataTable
          caption="What differs"
          columns={[
            { label: "What differs", cell: ({ name }) => name },
            { label: runName(first.run), cell: (row) => row.first },
            { label: runName(second.run), cell: (row) => row.second },
          ]}
          rows={differ}
          rowKey={({ name }) => name}
        />
      )}
      <p className="note max-w-3xl">
        {differ.length === 0 ? "Nothing that was set differs. " : ""}The same in both: {same.join(", ")}.
      </p>
    </div>
  );
}
