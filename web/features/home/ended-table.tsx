"use client";
import Link from "next/link";
import type { RunView } from "#shared/protocol/api.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { endingOf } from "../../words/endings.ts";
import { formatWhen } from "../../words/format.ts";
import { figureCell } from "../../words/measures.ts";
import { newestFigures } from "../../words/run-curve.ts";
import { runName } from "../../words/sentences.ts";
import { LastScore } from "../shell/last-score.tsx";

const COLUMNS: readonly TableColumn<RunView>[] = [
  { label: "Last round", hiddenLabel: true, wideOnly: true, cell: (run) => <LastScore run={run} /> },
  {
    label: "Run",
    cell: (run) => (
      <Link href={`/runs/${run.runId}`} className="font-semibold no-underline hover:underline">
        {runName(run)}
      </Link>
    ),
  },
  {
    label: "How it ended",
    cell: (run) => {
      const { mark, words } = endingOf(run);
      return <StatusMark kind={mark}>{words}</StatusMark>;
    },
  },
  {
    label: "Rounds committed",
    numeric: true,
    cell: (run) => `${run.roundsCommitted} of ${run.roundsPlanned}`,
  },
  {
    label: "Figure",
    numeric: true,
    cell: (run) => figureCell(newestFigures(run)?.measures ?? null),
  },
  { label: "When", cell: (run) => (run.endedAt === null ? "" : formatWhen(run.endedAt)) },
];

/** Runs that are over, and how they ended. */
export function EndedTable({ runs }: { readonly runs: readonly RunView[] }) {
  return (
    <div className="with-score">
      <DataTable caption="Ended runs" columns={COLUMNS} rows={runs} rowKey={({ runId }) => runId} records />
    </div>
  );
}
