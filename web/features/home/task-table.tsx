"use client";
import Link from "next/link";
import type { TaskView } from "#shared/protocol/api.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { formatCount } from "../../words/format.ts";
import { broughtBy } from "../../words/sentences.ts";

const COLUMNS: readonly TableColumn<TaskView>[] = [
  {
    label: "Task",
    cell: ({ task }) => (
      <Link href={`/tasks/${task.slug}`} className="font-semibold">
        {task.slug}
      </Link>
    ),
  },
  { label: "Learns", cell: ({ task }) => task.learns },
  { label: "People bring", cell: ({ task }) => broughtBy(task) },
  { label: "Devices connected", numeric: true, cell: ({ deviceCount }) => formatCount(deviceCount) },
  {
    label: "Who may join",
    cell: ({ settings }) => (settings?.joining === "invitation" ? "by invitation" : "anyone"),
  },
  {
    label: "Link",
    hiddenLabel: true,
    cell: ({ task }) => (
      <a href={`/join/${task.slug}`} aria-label={`Join page of ${task.slug}`}>
        Join page
      </a>
    ),
  },
];

export function TaskTable({ tasks }: { readonly tasks: readonly TaskView[] }) {
  return (
    <DataTable
      caption="Tasks"
      columns={COLUMNS}
      rows={tasks}
      rowKey={({ task }) => `${task.slug} ${task.version}`}
      records
    />
  );
}
