"use client";
import Link from "next/link";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { isOver } from "../../words/endings.ts";
import { formatWhen } from "../../words/format.ts";
import { figureCell } from "../../words/measures.ts";
import { runName } from "../../words/sentences.ts";
import { newestVersion } from "../../words/waiting.ts";
import { newestRunOf } from "./launch.ts";

interface Row {
  readonly view: TaskView;
  /** The run that the task's newest model is from; null if there is none among the newest runs. */
  readonly run: RunView | null;
}

const COLUMNS: readonly TableColumn<Row>[] = [
  {
    label: "Task",
    cell: ({ view: { task } }) => (
      <Link href={`/tasks/${task.slug}`} className="font-semibold">
        {task.slug}
      </Link>
    ),
  },
  { label: "Model in use", cell: (row) => <ModelInUse {...row} /> },
  {
    label: "Figure",
    numeric: true,
    cell: ({ view: { measures } }) =>
      measures === null ? "none" : <span className="text-sum">{figureCell(measures)}</span>,
  },
  { label: "Since", cell: (row) => sinceOf(row) },
  {
    label: "Link",
    hiddenLabel: true,
    cell: ({ view: { task, latestModelHash } }) =>
      latestModelHash === null ? null : (
        <a href={`/join/${task.slug}`} aria-label={`Try the model of ${task.slug}`}>
          Try it
        </a>
      ),
  },
];

function ModelInUse({ view, run }: Row) {
  if (view.latestModelHash === null) return "none: no round has been committed";
  if (run === null) return "of an earlier run";
  return (
    <>
      version {newestVersion(run)},{" "}
      <Link href={`/runs/${run.runId}`} aria-label={runName(run)}>
        run {run.number}
      </Link>
    </>
  );
}

function sinceOf({ view, run }: Row): string {
  if (view.latestModelHash === null || run === null) return "";
  if (!isOver(run)) return "its newest round";
  return run.endedAt === null ? "" : formatWhen(run.endedAt);
}

/** The model of each task with which pages and devices predict. */
export function InUseTable({
  tasks,
  runs,
}: {
  readonly tasks: readonly TaskView[];
  readonly runs: readonly RunView[];
}) {
  const rows = tasks.map((view): Row => ({ view, run: newestRunOf(view, runs) }));
  return (
    <DataTable
      caption="Models in use"
      columns={COLUMNS}
      rows={rows}
      rowKey={({ view: { task } }) => `${task.slug} ${task.version}`}
      records
    />
  );
}
