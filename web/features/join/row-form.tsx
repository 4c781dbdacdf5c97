"use client";
import { type FormEvent, useId, useState } from "react";
import type { Column, TabularFeatures } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { fieldNote, NOT_KNOWN, startValue } from "../../words/trying.ts";
import { rowToInput } from "./row-input.ts";

const NO_ERRORS: ReadonlyMap<string, string> = new Map();

/** A form for one row of a table, with a field for each column that the model reads. */
export function RowForm(props: {
  readonly features: TabularFeatures;
  readonly noun: string;
  /** Null if the row cannot be used. */
  readonly onInput: (input: Float32Array | null) => void;
}) {
  const { features, noun, onInput } = props;
  const formId = useId();
  const columns = features.columns.filter(({ input }) => input);
  const [values, setValues] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(columns.map((column) => [column.name, startValue(column)])),
  );
  const [errors, setErrors] = useState(NO_ERRORS);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const row = rowToInput(values, features);
    setErrors(row.ok ? NO_ERRORS : row.error);
    onInput(row.ok ? row.value : null);
  };
  return (
    <form onSubmit={submit} noValidate className="grid gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        {columns.map((column) => (
          <ColumnField
            key={column.name}
            id={`${formId}-${column.name}`}
            column={column}
            value={values[column.name] ?? ""}
            error={errors.get(column.name) ?? null}
            onValue={(value) => setValues((old) => ({ ...old, [column.name]: value }))}
          />
        ))}
      </div>
      <p>
        <Button type="submit">Ask about this {noun}</Button>
      </p>
    </form>
  );
}

function ColumnField(props: {
  readonly id: string;
  readonly column: Column;
  readonly value: string;
  readonly error: string | null;
  readonly onValue: (value: string) => void;
}) {
  const { id, column, value, error, onValue } = props;
  const note = fieldNote(column);
  const told = error === null ? {} : { "aria-invalid": true, "aria-describedby": `${id}-error` };
  return (
    <Field
      label={column.title ?? column.name}
      htmlFor={id}
      error={error}
      {...(note !== "" && error === null && { note })}
    >
      {column.type === "categorical" ? (
        <select id={id} value={value} {...told} onChange={(event) => onValue(event.target.value)}>
          {column.categories.map((category) => (
            <option key={category}>{category}</option>
          ))}
          {column.missing !== undefined && <option value="">{NOT_KNOWN}</option>}
        </select>
      ) : (
        <input
          id={id}
          inputMode={column.range[0] < 0 ? "text" : "decimal"}
          value={value}
          {...told}
          onChange={(event) => onValue(event.target.value)}
        />
      )}
    </Field>
  );
}
