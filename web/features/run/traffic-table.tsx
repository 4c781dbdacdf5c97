"use client";
import type { Traffic } from "#shared/protocol/api.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { formatKilobytes } from "../../words/format.ts";
import { trafficWords } from "../../words/traffic.ts";

interface TrafficTableProps {
  readonly traffic: readonly Traffic[];
  /** Numbers in the masked update; null while the task is being fetched. */
  readonly vectorLength: number | null;
  /** What is said if nothing is counted. */
  readonly none: string;
}

interface Row {
  readonly name: string;
  readonly up: number;
  readonly down: number;
  readonly what: string;
  readonly total: boolean;
}

/** Bytes per device and round, by step, in kB of 1,000. */
export function TrafficTable({ traffic, vectorLength, none }: TrafficTableProps) {
  if (traffic.length === 0) return <EmptyNote>{none}</EmptyNote>;
  const highest = Math.max(
    1,
    ...traffic.flatMap(({ upByteCount, downByteCount }) => [upByteCount, downByteCount]),
  );
  const rows: Row[] = traffic.map(({ step, upByteCount, downByteCount }) => ({
    ...trafficWords(step, vectorLength),
    up: upByteCount,
    down: downByteCount,
    total: false,
  }));
  const sum = (key: "up" | "down") => rows.reduce((total, row) => total + row[key], 0);
  const all = { name: "Together", up: sum("up"), down: sum("down"), what: "", total: true };
  const columns: readonly TableColumn<Row>[] = [
    { label: "Step", cell: ({ name, total }) => (total ? <b className="font-semibold">{name}</b> : name) },
    { label: "Up, kB", cell: (row) => <Amount byteCount={row.up} highest={row.total ? null : highest} /> },
    {
      label: "Down, kB",
      cell: (row) => <Amount byteCount={row.down} highest={row.total ? null : highest} />,
    },
    { label: "What it is", wideOnly: true, cell: ({ what }) => <span className="text-ink-2">{what}</span> },
  ];
  return (
    <DataTable
      caption="Bytes per device and round"
      columns={columns}
      rows={[...rows, all]}
      rowKey={({ name }) => name}
    />
  );
}

/** A bar and its number; the total has no bar. */
function Amount({ byteCount, highest }: { readonly byteCount: number; readonly highest: number | null }) {
  if (highest === null) return <b className="font-semibold">{formatKilobytes(byteCount)}</b>;
  return (
    <span className="flex items-baseline gap-2">
      {byteCount > 0 && (
        <svg
          className="h-2 w-9 flex-none sm:w-16"
          viewBox="0 0 64 8"
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          <rect className="bar-ink" width={Math.max(0.7, (64 * byteCount) / highest)} height={8} />
        </svg>
      )}
      {byteCount > 0 ? formatKilobytes(byteCount) : "none"}
    </span>
  );
}
