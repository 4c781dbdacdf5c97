"use client";
import Link from "next/link";
import type { RunView } from "#shared/protocol/api.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { formatMeasure, formatWhenUtc } from "../../words/format.ts";
import { endingOf, runName } from "../../words/sentences.ts";
import { newestFigures } from "../../words/waiting.ts";

const COLUMNS: readonly TableColumn<RunView>[] = [
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
  { label: "Rounds", numeric: true, cell: (run) => `${run.roundsCommitted} of ${run.roundsPlanned}` },
  {
    label: "Accuracy",
    numeric: true,
    cell: (run) => {
      const last = newestFigures(run);
      return last === null ? "none" : formatMeasure(last.accuracy);
    },
  },
  { label: "When", cell: (run) => (run.endedAt === null ? "" : formatWhenUtc(run.endedAt)) },
];

/** Runs that are over, with how they ended. */
export function EndedTable({ runs }: { readonly runs: readonly RunView[] }) {
  return (
    <DataTable caption="Ended runs" columns={COLUMNS} rows={runs} rowKey={({ runId }) => runId} records />
  );
}
