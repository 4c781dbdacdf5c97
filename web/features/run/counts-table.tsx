"use client";
import type { Counts, RoundView } from "#shared/protocol/api.ts";
import { countsAt, ticksS } from "../../score/geometry.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { formatCount } from "../../words/format.ts";

const COLUMNS: readonly TableColumn<Counts>[] = [
  {
    label: "Second",
    numeric: true,
    cell: ({ atS }) => (Number.isInteger(atS) ? formatCount(atS) : atS.toFixed(1)),
  },
  { label: "Joined", numeric: true, cell: ({ joined }) => formatCount(joined) },
  { label: "Trained", numeric: true, cell: ({ trained }) => formatCount(trained) },
  { label: "Sent", numeric: true, cell: ({ sent }) => formatCount(sent) },
  { label: "Left", numeric: true, cell: ({ left }) => formatCount(left) },
];

/** The counts that a score is drawn from, at its axis ticks and at its end. */
function countRows(round: Pick<RoundView, "counts" | "nowS">): Counts[] {
  const last = round.counts.at(-1);
  if (last === undefined) return [];
  const ticks = ticksS(last.atS).filter((atS) => atS < last.atS);
  return [...ticks.map((atS) => ({ ...countsAt(round.counts, atS), atS })), last];
}

/** A round as a table, collapsed at first. */
export function CountsTable({ round, open = false }: { readonly round: RoundView; readonly open?: boolean }) {
  const table = (
    <DataTable
      caption={`Counts of round ${round.round}`}
      columns={COLUMNS}
      rows={countRows(round)}
      rowKey={({ atS }) => atS}
    />
  );
  if (open) return table;
  return (
    <details className="md:col-span-2">
      <summary className="link w-fit text-sm">This round as a table</summary>
      <div className="mt-2.5 max-w-[44rem]">{table}</div>
    </details>
  );
}
