"use client";
import Link from "next/link";
import { Button } from "../../ui/button.tsx";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { useAddress } from "../../ui/use-address.ts";
import { markOf } from "../../words/endings.ts";
import { canOrder, columnsNamed, type ExperimentColumn } from "../../words/experiment-columns.ts";
import { pageWords } from "../../words/experiment-filters.ts";
import type { ExperimentRow } from "../../words/experiments.ts";
import { runName } from "../../words/sentences.ts";
import { useChosen } from "./use-chosen.ts";

interface RunsTableProps {
  /** Of this page, in the coordinator's order. */
  readonly rows: readonly ExperimentRow[];
  readonly columns: readonly ExperimentColumn[];
  /** A column's name, after "-" if the largest come first. */
  readonly order: string;
  readonly onOrder: (order: string) => void;
  readonly page: number;
  readonly perPage: number;
  readonly foundCount: number;
  readonly onPage: (page: number) => void;
}

/** Runs with the chosen columns, in the chosen order; some of them can be ticked for a comparison. */
export function RunsTable(props: RunsTableProps) {
  const { rows, columns, order, onOrder, foundCount } = props;
  const [names] = useAddress("columns");
  const { chosen, isFull, toggle } = useChosen();
  if (foundCount === 0) return <EmptyNote>No run is found by this filter.</EmptyNote>;
  const first: TableColumn<ExperimentRow> = {
    label: "Run",
    cell: ({ run }) => (
      <span className="flex items-center gap-3">
        <input
          type="checkbox"
          aria-label={`Compare ${runName(run)}`}
          checked={chosen.includes(run.runId)}
          disabled={isFull && !chosen.includes(run.runId)}
          onChange={() => toggle(run.runId)}
        />
        <Link href={`/runs/${run.runId}`} className="font-semibold">
          {runName(run)}
        </Link>
      </span>
    ),
  };
  const shown = columnsNamed(columns, names).map(
    (column): TableColumn<ExperimentRow> => ({
      label: headingOf(column, order),
      numeric: column.numeric,
      cell: (row) => <Cell column={column} row={row} />,
    }),
  );
  return (
    <div className="grid gap-3 pb-9">
      <Order columns={columns.filter(canOrder)} {...{ order, onOrder }} />
      <DataTable
        caption="Runs"
        columns={[first, ...shown]}
        rows={rows}
        rowKey={({ run }) => run.runId}
        marked={({ run }) => chosen.includes(run.runId)}
        records
      />
      <Pages {...props} shown={rows.length} />
      <p className="note max-w-3xl">
        Figures are of a run’s newest judged version, with 95&nbsp;% intervals. Figures of two tasks, or on
        different rows, are never ordered among each other; the column “Measured on” says which rows they are.
        “Beside the model in use” goes by the figures alone; tick two runs to compare them on the same rows.
      </p>
    </div>
  );
}

/** The heading of the column that orders the rows has an arrow. */
function headingOf({ name, label }: ExperimentColumn, order: string): string {
  if (order === name) return `${label} ↑`;
  return order === `-${name}` ? `${label} ↓` : label;
}

function Cell({ column, row }: { readonly column: ExperimentColumn; readonly row: ExperimentRow }) {
  const words = column.words(row);
  if (column.name === "outcome") return <StatusMark kind={markOf(row.run)}>{words}</StatusMark>;
  if (column.name === "figure" && row.isInUse) return <span className="text-sum">{words}</span>;
  return words;
}

function Pages(props: Omit<RunsTableProps, "rows"> & { readonly shown: number }) {
  const { page, perPage, shown, foundCount, onPage } = props;
  if (foundCount <= perPage && page === 1) return null;
  return (
    <nav aria-label="Pages of runs" className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <Button disabled={page === 1} onClick={() => onPage(page - 1)}>
        Former page
      </Button>
      <Button disabled={page * perPage >= foundCount} onClick={() => onPage(page + 1)}>
        Next page
      </Button>
      <span className="note" role="status">
        {pageWords(page, perPage, shown, foundCount)}
      </span>
    </nav>
  );
}

interface OrderProps {
  readonly columns: readonly ExperimentColumn[];
  readonly order: string;
  readonly onOrder: (order: string) => void;
}

function Order({ columns, order, onOrder }: OrderProps) {
  const isDown = order.startsWith("-");
  const name = order.replace(/^-/, "");
  return (
    <div className="flex flex-wrap items-end gap-4">
      <label className="field max-w-64">
        Order by
        <select value={name} onChange={(event) => onOrder(`${isDown ? "-" : ""}${event.target.value}`)}>
          {columns.map((column) => (
            <option key={column.name} value={column.name}>
              {column.label}
            </option>
          ))}
        </select>
      </label>
      <label className="flex min-h-11 cursor-pointer items-center gap-3 text-sm">
        <input
          type="checkbox"
          checked={isDown}
          onChange={(event) => onOrder(`${event.target.checked ? "-" : ""}${name}`)}
        />
        largest or newest first
      </label>
    </div>
  );
}
