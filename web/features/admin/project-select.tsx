"use client";
import { Field } from "../../ui/field.tsx";

/** Chooses one of the projects that the reader may act in. */
export function ProjectSelect(props: {
  readonly id: string;
  readonly projects: readonly string[];
  readonly value: string;
  readonly onValue: (projectId: string) => void;
}) {
  const { id, projects, value, onValue } = props;
  return (
    <Field label="Project" htmlFor={id}>
      <select id={id} value={value} onChange={(event) => onValue(event.target.value)}>
        {projects.map((projectId) => (
          <option key={projectId}>{projectId}</option>
        ))}
      </select>
    </Field>
  );
}
