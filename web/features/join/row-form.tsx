"use client";
import { type FormEvent, useId, useState } from "react";
import type { Column, TabularFeatures } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { rangeWords } from "../../words/data.ts";

/** A form for one row of a table, with a field for each column that the model reads. */
export function RowForm(props: {
  readonly features: TabularFeatures;
  readonly noun: string;
  /** Null if the row cannot be used. */
  readonly onInput: (input: Float32Array | null) => void;
}) {
  const { features, noun, onInput } = props;
  const formId = useId();
  const [values, setValues] = useState<Readonly<Record<string, string>>>(() => startValues(features));
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { rowToInput } = await import("./row-input.ts");
    const row = rowToInput(values, features);
    setProblem(row.ok ? null : row.error);
    onInput(row.ok ? row.value : null);
  };
  return (
    <form onSubmit={(event) => void submit(event)} noValidate className="grid gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        {features.columns
          .filter((column) => column.input)
          .map((column) => (
            <ColumnField
              key={column.name}
              id={`${formId}-${column.name}`}
              column={column}
              value={values[column.name] ?? ""}
              onValue={(value) => setValues((old) => ({ ...old, [column.name]: value }))}
            />
          ))}
      </div>
      {problem !== null && (
        <p role="alert" className="text-sm text-stop">
          {problem}
        </p>
      )}
      <p>
        <Button type="submit">Ask about this {noun}</Button>
      </p>
    </form>
  );
}

/** The middle of each range and the first category: a complete row to start from. */
function startValues(features: TabularFeatures): Record<string, string> {
  return Object.fromEntries(
    features.columns.map((column) => [
      column.name,
      column.type === "numeric"
        ? String(column.example ?? middleOf(column.range))
        : (column.example ?? column.categories[0] ?? ""),
    ]),
  );
}

function middleOf([low, high]: readonly [number, number]): number {
  return Number(((low + high) / 2).toPrecision(3));
}

function ColumnField(props: {
  readonly id: string;
  readonly column: Column;
  readonly value: string;
  readonly onValue: (value: string) => void;
}) {
  const { id, column, value, onValue } = props;
  if (column.type === "categorical") {
    return (
      <Field label={column.name} htmlFor={id}>
        <select id={id} value={value} onChange={(event) => onValue(event.target.value)}>
          {column.categories.map((category) => (
            <option key={category}>{category}</option>
          ))}
        </select>
      </Field>
    );
  }
  return (
    <Field label={column.name} htmlFor={id} note={rangeWords(column)}>
      <input id={id} inputMode="decimal" value={value} onChange={(event) => onValue(event.target.value)} />
    </Field>
  );
}
