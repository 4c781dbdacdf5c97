"use client";
import Link from "next/link";
import type { TaskView } from "#shared/protocol/api.ts";
import { useWatch } from "../../data/live.tsx";
import { useAllTasks } from "../../data/queries.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { figureCell } from "../../words/measures.ts";
import { inUseWords, modelsLead } from "../../words/models.ts";
import { taskKind } from "../../words/tasks.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { TaskName } from "../tasks/task-name.tsx";

const WATCH_ALL = { all: true } as const;

const COLUMNS: readonly TableColumn<TaskView>[] = [
  {
    label: "Model",
    cell: ({ task }) => <TaskName task={task} under="/models" />,
  },
  { label: "Kind", cell: ({ task }) => taskKind(task) },
  { label: "In use", cell: (view) => inUseWords(view) },
  {
    label: "Figure",
    numeric: true,
    cell: ({ inUse, measures }) => (
      <span className={inUse?.alias === "champion" ? "text-sum" : undefined}>{figureCell(measures)}</span>
    ),
  },
  {
    label: "Link",
    hiddenLabel: true,
    cell: ({ task, inUse }) =>
      inUse != null && (
        <a href={`/join/${task.slug}`} aria-label={`Try the model of ${task.slug}`}>
          Try it
        </a>
      ),
  },
];

/** `/models`: which model of each task is in use. */
export function ModelsPage() {
  useWatch(WATCH_ALL);
  const tasks = useAllTasks(true);
  return (
    <>
      <div className="head">
        <h1>Models</h1>
        <div className="state">
          <p className="lead min-h-[1.3em]">{tasks.data === undefined ? "" : modelsLead(tasks.data)}</p>
        </div>
      </div>
      <div className="pb-12">
        <QueryGate query={tasks} what="models">
          {(items) =>
            items.length === 0 ? (
              <EmptyNote>
                No task yet. Make one under <Link href="/tasks">Tasks</Link>, or run the demo:{" "}
                <code>npm run demo</code>.
              </EmptyNote>
            ) : (
              <DataTable
                caption="Models in use"
                columns={COLUMNS}
                rows={items}
                rowKey={({ task }) => task.slug}
                records
              />
            )
          }
        </QueryGate>
      </div>
    </>
  );
}
