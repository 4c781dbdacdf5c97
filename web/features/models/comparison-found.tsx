import type { ComparedMeasure, Comparison } from "#shared/task/report/comparison.ts";
import { IntervalChart } from "../../chart/interval-chart.tsx";
import type { VersionPair } from "../../data/models.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import {
  type CountRow,
  comparisonLead,
  differenceWords,
  fourCounts,
  intervalWords,
  shownDifference,
  testWords,
  verdictWords,
} from "../../words/comparison.ts";
import { formatCount } from "../../words/format.ts";
import { DifferenceBar } from "./difference-bar.tsx";

interface ComparisonFoundProps {
  readonly comparison: Comparison;
  readonly pair: VersionPair;
  readonly many: string;
}

/** What came of a comparison: the verdict, the interval across 0 and the four counts, then every measure. */
export function ComparisonFound({ comparison, pair, many }: ComparisonFoundProps) {
  const [headline] = comparison.comparable ? comparison.measures : [];
  return (
    <div className="grid gap-6">
      <p className="read" role="status">
        {comparisonLead(comparison, pair, many)}
      </p>
      {comparison.comparable && headline !== undefined && (
        <>
          <Headline measure={headline} {...{ pair, many }} rowCount={comparison.rowCount} />
          <DataTable
            caption={`Version ${pair.second} against version ${pair.first}`}
            columns={columnsOf(pair)}
            rows={comparison.measures}
            rowKey={({ name }) => name}
            records
          />
        </>
      )}
    </div>
  );
}

interface HeadlineProps {
  readonly measure: ComparedMeasure;
  readonly pair: VersionPair;
  readonly many: string;
  readonly rowCount: number;
}

function Headline({ measure, pair, many, rowCount }: HeadlineProps) {
  const { unit, scale } = shownDifference(measure.unit);
  const { difference, low, high, label } = measure;
  const counts = fourCounts(measure, rowCount, pair);
  return (
    <div className="cols2">
      <IntervalChart
        title={`Version ${pair.second} less version ${pair.first}`}
        note={`${label}, paired on the same ${formatCount(rowCount)} ${many}, 95 % interval. Across 0 it is too close to tell.`}
        label={`${label}, version ${pair.second} less version ${pair.first}: ${intervalWords(measure)}.`}
        fileName={`versions-${pair.second}-and-${pair.first}-${measure.name}`}
        unit={unit}
        value={scale * difference}
        low={scale * low}
        high={scale * high}
        words={differenceWords(difference, measure.unit)}
        reading={intervalWords(measure)}
      />
      <div className="grid content-start gap-3">
        {counts !== null && (
          <DataTable
            caption={`Of ${formatCount(rowCount)} ${many}`}
            columns={countColumns(pair, `Of ${formatCount(rowCount)} ${many}`)}
            rows={counts}
            rowKey={({ name }) => name}
          />
        )}
        <p className="note">{testWords(measure)}</p>
      </div>
    </div>
  );
}

function countColumns({ first }: VersionPair, title: string): readonly TableColumn<CountRow>[] {
  return [
    { label: title, cell: ({ name }) => name },
    { label: `Version ${first} right`, numeric: true, cell: ({ right }) => formatCount(right) },
    { label: `Version ${first} wrong`, numeric: true, cell: ({ wrong }) => formatCount(wrong) },
  ];
}

function columnsOf({ first, second }: VersionPair): readonly TableColumn<ComparedMeasure>[] {
  const only = (version: number) => `Only version ${version} right`;
  const rows = (count: number | undefined) => (count === undefined ? "" : formatCount(count));
  return [
    { label: "Measure", cell: ({ label }) => label },
    { label: "Difference", cell: intervalWords },
    { label: "Across 0", hiddenLabel: true, wideOnly: true, cell: (one) => <DifferenceBar measure={one} /> },
    { label: only(first), numeric: true, cell: ({ counts }) => rows(counts?.onlyFirst) },
    { label: only(second), numeric: true, cell: ({ counts }) => rows(counts?.onlySecond) },
    { label: "Verdict", cell: verdictWords },
  ];
}
