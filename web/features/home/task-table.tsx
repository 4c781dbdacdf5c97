"use client";
import type { TaskView } from "#shared/protocol/api.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { formatCount } from "../../words/format.ts";
import { broughtBy } from "../../words/sentences.ts";

const COLUMNS: readonly TableColumn<TaskView>[] = [
  { label: "Task", cell: ({ task }) => <b className="font-semibold">{task.slug}</b> },
  { label: "Learns", cell: ({ task }) => task.learns },
  { label: "People bring", cell: ({ task }) => broughtBy(task) },
  { label: "Devices now", numeric: true, cell: ({ deviceCount }) => formatCount(deviceCount) },
  // No task can ask for noise yet, so every row says "none"; an empty cell would look like "unknown".
  { label: "Noise", cell: () => "none" },
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
