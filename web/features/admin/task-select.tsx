"use client";
import { useTasks } from "../../data/queries.ts";
import { Field } from "../../ui/field.tsx";

/** Chooses a task, or null for every task of the project. */
export function TaskSelect(props: {
  readonly id: string;
  readonly value: string | null;
  readonly onValue: (task: string | null) => void;
}) {
  const { id, value, onValue } = props;
  const { data: tasks = [] } = useTasks();
  const slugs = [...new Set(tasks.map(({ task }) => task.slug))];
  return (
    <Field label="Task" htmlFor={id}>
      <select id={id} value={value ?? ""} onChange={(event) => onValue(event.target.value || null)}>
        <option value="">every task of the project</option>
        {slugs.map((slug) => (
          <option key={slug}>{slug}</option>
        ))}
      </select>
    </Field>
  );
}
