"use client";
import Link from "next/link";
import { useState } from "react";
import type { TaskView } from "#shared/protocol/api.ts";
import { useSession } from "../../data/access-queries.ts";
import { useWatch } from "../../data/live.tsx";
import { useAllTasks } from "../../data/queries.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { formatCount } from "../../words/format.ts";
import { headlineFigure } from "../../words/measures.ts";
import { judgedShort, taskKind, tasksLead } from "../../words/tasks.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { TaskName } from "./task-name.tsx";

const WATCH_ALL = { all: true } as const;

const COLUMNS: readonly TableColumn<TaskView>[] = [
  {
    label: "Task",
    cell: ({ task }) => <TaskName task={task} under="/tasks" />,
  },
  { label: "Kind", cell: ({ task }) => taskKind(task) },
  { label: "Learns", cell: ({ task }) => task.learns },
  { label: "Version", numeric: true, cell: ({ task }) => task.version },
  { label: "Devices connected", numeric: true, cell: ({ deviceCount }) => formatCount(deviceCount) },
  { label: "Newest figure", cell: ({ measures }) => headlineFigure(measures) ?? "none" },
  { label: "Judged", cell: (view) => judgedShort(view) },
  {
    label: "State",
    cell: ({ archived, activeRunId }) => (
      <StatusMark kind={archived != null ? "stopped" : activeRunId === null ? "waiting" : "running"}>
        {archived != null ? "archived" : activeRunId === null ? "no run" : "a run is open"}
      </StatusMark>
    ),
  },
];

/** `/tasks`: every task, its newest version. */
export function TasksPage() {
  useWatch(WATCH_ALL);
  const [withArchived, setWithArchived] = useState(false);
  const tasks = useAllTasks(withArchived);
  const { data: session } = useSession();
  const mayCreate = session?.permissions.includes("tasks.create") ?? false;
  return (
    <>
      <div className="head">
        <h1>Tasks</h1>
        <div>
          {mayCreate && (
            <Link className="btn main" href="/tasks/new">
              New task…
            </Link>
          )}
        </div>
        <div className="state">
          <p className="lead min-h-[1.3em]">{tasks.data === undefined ? "" : tasksLead(tasks.data)}</p>
        </div>
      </div>
      <div className="pb-12">
        <QueryGate query={tasks} what="tasks">
          {(items) =>
            items.length > 0 ? (
              <DataTable
                caption="Tasks"
                columns={COLUMNS}
                rows={items}
                rowKey={({ task }) => task.slug}
                records
              />
            ) : (
              <EmptyNote>
                {mayCreate ? (
                  <>
                    No tasks yet. <Link href="/tasks/new">Make one from a sample</Link>, or run the demo:{" "}
                    <code>npm run demo</code>.
                  </>
                ) : (
                  "No tasks yet. A researcher can make one."
                )}
              </EmptyNote>
            )
          }
        </QueryGate>
        <label className="mt-5 flex min-h-11 w-fit cursor-pointer items-center gap-3 text-sm">
          <input
            type="checkbox"
            checked={withArchived}
            onChange={(event) => setWithArchived(event.target.checked)}
          />
          Show archived tasks too
        </label>
      </div>
    </>
  );
}
