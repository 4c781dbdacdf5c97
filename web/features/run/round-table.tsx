"use client";
import Link from "next/link";
import type { RoundView } from "#shared/protocol/api.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { ShowAll } from "../../ui/show-all.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { formatCount, formatMeasure, formatSeconds } from "../../words/format.ts";
import { missingFigures } from "../../words/waiting.ts";

const COLUMNS: readonly TableColumn<RoundView>[] = [
  {
    label: "Round",
    cell: ({ roundId, round }) => <Link href={`/rounds/${roundId}`}>Round {round}</Link>,
  },
  { label: "How it ended", cell: (round) => <Ending round={round} /> },
  { label: "Joined", numeric: true, cell: ({ joined }) => formatCount(joined) },
  {
    label: "In the sum",
    numeric: true,
    cell: (round) => (round.phase === "committed" ? formatCount(round.survivors ?? round.sent) : "none"),
  },
  {
    label: "Accuracy",
    numeric: true,
    cell: (round) => {
      if (round.accuracy !== null) return formatMeasure(round.accuracy);
      return round.phase === "committed" ? missingFigures(round) : "none";
    },
  },
  {
    label: "Change of the model, L2",
    numeric: true,
    cell: ({ updateNormL2 }) => (updateNormL2 === null ? "none" : updateNormL2.toPrecision(3)),
  },
  { label: "Time", numeric: true, cell: ({ nowS }) => formatSeconds(nowS) },
];

function Ending({ round }: { readonly round: RoundView }) {
  if (round.phase === "committed") return <StatusMark kind="done">opened</StatusMark>;
  if (round.phase === "failed") return <StatusMark kind="given-up">given up, never opened</StatusMark>;
  if (round.phase === "voided") return <StatusMark kind="given-up">given up, sum discarded</StatusMark>;
  return <StatusMark kind="running">going on</StatusMark>;
}

const SHOWN_FIRST = 8;

/** All rounds of a run, newest first, each with a link to its own page. */
export function RoundTable({ rounds }: { readonly rounds: readonly RoundView[] }) {
  if (rounds.length === 0) return <EmptyNote>No round has opened yet.</EmptyNote>;
  return (
    <ShowAll items={rounds.toReversed()} first={SHOWN_FIRST}>
      {(shown) => (
        <DataTable
          caption="Rounds"
          columns={COLUMNS}
          rows={shown}
          rowKey={({ roundId }) => roundId}
          records
        />
      )}
    </ShowAll>
  );
}
