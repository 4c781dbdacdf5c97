"use client";
import Link from "next/link";
import type { RoundView, RunView } from "#shared/protocol/api.ts";
import { measuresIn } from "#shared/task/measures/index.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { NamedList } from "../../ui/show-more.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { isOver, roundEnding } from "../../words/endings.ts";
import { formatCount, formatMeasure, formatSeconds } from "../../words/format.ts";

import { missingFigures } from "../../words/waiting.ts";

const columnsOf = (
  rounds: readonly RoundView[],
  endedBy: string | null | undefined,
): readonly TableColumn<RoundView>[] => [
  {
    label: "Round",
    cell: ({ roundId, round }) => (
      <>
        <Link href={`/rounds/${roundId}`}>Round {round}</Link>{" "}
        <Link href={`/audit/rounds/${roundId}`} aria-label={`Check round ${round}`}>
          check
        </Link>
      </>
    ),
  },
  {
    label: "How it ended",
    cell: (round) => {
      const { mark, words } = roundEnding(round, endedBy);
      return <StatusMark kind={mark}>{words}</StatusMark>;
    },
  },
  { label: "Joined", numeric: true, cell: ({ joined }) => formatCount(joined) },
  {
    label: "In the sum",
    numeric: true,
    cell: (round) => (round.phase === "committed" ? formatCount(round.survivors ?? round.sent) : "none"),
  },
  ...measuresIn(rounds.map(({ measures }) => measures)).map(
    ({ name, label }): TableColumn<RoundView> => ({
      label,
      numeric: true,
      cell: (round) => figureOf(round, name),
    }),
  ),
  {
    label: "Change of the model, L2",
    numeric: true,
    cell: ({ updateNormL2 }) => (updateNormL2 === null ? "none" : updateNormL2.toPrecision(3)),
  },
  { label: "Time", numeric: true, cell: ({ nowS }) => formatSeconds(nowS) },
];

function figureOf(round: RoundView, name: string): string {
  const measure = round.measures?.[name];
  if (measure !== undefined) return formatMeasure(measure);
  return round.phase === "committed" && round.measures === null ? missingFigures(round) : "none";
}

const SHOWN_FIRST = 8;

/** All rounds of a run, newest first, each with a link to its page. */
export function RoundTable({
  run,
  rounds,
}: {
  readonly run: RunView;
  readonly rounds: readonly RoundView[];
}) {
  if (rounds.length === 0)
    return (
      <EmptyNote>
        {isOver(run) ? "The run ended before its first round." : "The first round has not begun."}
      </EmptyNote>
    );
  return (
    <NamedList name="rounds" items={rounds.toReversed()} first={SHOWN_FIRST}>
      {(shown) => (
        <DataTable
          caption="Rounds"
          columns={columnsOf(rounds, run.endedBy)}
          rows={shown}
          rowKey={({ roundId }) => roundId}
          records
        />
      )}
    </NamedList>
  );
}
