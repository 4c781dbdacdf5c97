"use client";
import Link from "next/link";
import type { RunView } from "#shared/protocol/api.ts";
import { formatMeasure, formatWhenUtc } from "../../lib/format.ts";
import { endingOf, runName } from "../../lib/sentences.ts";
import { newestFigures } from "../../lib/waiting.ts";
import { DataTable, type TableColumn } from "../data-table.tsx";
import { StatusMark } from "../status-mark.tsx";

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
