"use client";
import type { ColumnProfile } from "#shared/sample/column-profiler.ts";
import type { DraftColumn } from "#shared/sample/draft.ts";
import { type ColumnFields, categoryFields } from "#shared/sample/propose-columns.ts";
import { middleOf, notTakenWords } from "../../words/workshop.ts";
import { rangeNote } from "../../words/workshop-columns.ts";
import { type Problems, WrongField, wrongIf } from "./wrong.tsx";

interface ColumnEditProps {
  readonly at: number;
  readonly column: DraftColumn;
  readonly fields: ColumnFields;
  readonly profile: ColumnProfile | null;
  readonly problems: Problems;
  readonly onChange: (change: Partial<ColumnFields>) => void;
}

/** Everything that is said about one column. */
export function ColumnEdit(props: ColumnEditProps) {
  const { column, fields, profile, onChange } = props;
  const note = rangeNote(fields, profile);
  const notTaken = notTakenWords(fields, profile);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a grid in all browsers
    <div className="column-edit" role="group" aria-label={`Edit ${column.name}`}>
      <Text {...props} field="title" label="Name that participants see" className="half wide" />
      {fields.type === "number" ? (
        <>
          <Text {...props} field="from" label="From" mode="decimal" />
          <Text {...props} field="to" label="To" mode="decimal" />
        </>
      ) : (
        <Categories {...props} />
      )}
      <Text {...props} field="description" label="What it is, in a sentence" className="half wide" />
      {fields.type === "number" && <Text {...props} field="unit" label="Unit" />}
      {fields.type === "number" && <ScalingSelect {...props} />}
      <label className="field">
        Used as
        <select
          value={fields.use}
          onChange={(event) => onChange({ use: event.target.value as ColumnFields["use"] })}
        >
          <option value="input">an input</option>
          <option value="asked">asked for, no input</option>
          <option value="label">what is learnt</option>
          <option value="left-out">left out</option>
        </select>
      </label>
      <label className="field">
        Kind of value
        <select
          value={fields.type}
          onChange={(event) => onChange(ofType(event.target.value as ColumnFields["type"], fields, profile))}
        >
          <option value="number">a number</option>
          <option value="category">one of several</option>
        </select>
      </label>
      {fields.use !== "label" && (
        <label className="field half wide">
          A missing value means
          <select
            value={fields.missing}
            onChange={(event) => onChange({ missing: event.target.value as ColumnFields["missing"] })}
          >
            <option value="refuse">the row is left out</option>
            {fields.type === "number" ? (
              <option value="middle">the middle of the range, {middleOf(fields)}</option>
            ) : (
              <option value="category">its own category</option>
            )}
          </select>
        </label>
      )}
      {fields.use !== "label" && (
        <Text
          {...props}
          field="example"
          label="Example, in the form that tries the model"
          className="half wide"
        />
      )}
      {fields.protected && (
        <Text {...props} field="why" label="Why it is asked for, in a sentence" className="wide" />
      )}
      {note !== null && <p className="note wide">{note}</p>}
      {notTaken !== null && <p className="note wide">{notTaken}</p>}
    </div>
  );
}

type TextField = "title" | "from" | "to" | "description" | "unit" | "mean" | "deviation" | "example" | "why";

function Text(
  props: ColumnEditProps & {
    readonly field: TextField;
    readonly label: string;
    readonly mode?: "text" | "decimal";
    readonly className?: string;
  },
) {
  const { at, fields, problems, field, label, mode = "text", className = "", onChange } = props;
  const name = `column.${at}.${field}`;
  const sentence = problems.of(name);
  return (
    <div className={`field ${className}`}>
      <label className="field">
        {label}
        <input
          {...wrongIf(name, sentence)}
          value={fields[field]}
          inputMode={mode}
          autoComplete="off"
          onChange={(event) => onChange({ [field]: event.target.value })}
        />
      </label>
      <WrongField field={name} problems={problems} />
    </div>
  );
}

function ScalingSelect(props: ColumnEditProps) {
  const { at, fields, problems, onChange } = props;
  return (
    <>
      <label className="field">
        Scaling
        <select
          value={fields.scaling}
          onChange={(event) => onChange({ scaling: event.target.value as ColumnFields["scaling"] })}
        >
          <option value="range">range to 0 … 1</option>
          <option value="log1p">logarithm, then 0 … 1</option>
          <option value="standard">given mean and deviation</option>
        </select>
      </label>
      {fields.scaling === "standard" && (
        <>
          <Text {...props} field="mean" label="Mean, known publicly" mode="decimal" />
          <Text {...props} field="deviation" label="Standard deviation" mode="decimal" />
        </>
      )}
      <WrongField field={`column.${at}.scaling`} problems={problems} />
    </>
  );
}

function Categories({ at, fields, problems, onChange }: ColumnEditProps) {
  const name = `column.${at}.categories`;
  const sentence = problems.of(name);
  return (
    <>
      <div className="field half wide">
        <label className="field">
          {fields.use === "label" ? "Classes, one a line" : "Categories, one a line"}
          <textarea
            {...wrongIf(name, sentence)}
            rows={Math.min(8, Math.max(2, fields.categories.length))}
            value={fields.categories.join("\n")}
            onChange={(event) => onChange({ categories: linesOf(event.target.value) })}
          />
        </label>
        <WrongField field={name} problems={problems} />
      </div>
      {fields.use !== "label" && (
        <label className="field half wide">
          Category for every other value (empty: such rows are left out)
          <input
            value={fields.other}
            autoComplete="off"
            onChange={(event) => onChange({ other: event.target.value })}
          />
        </label>
      )}
    </>
  );
}

/** Lines as typed; the empty last one is the one being typed. */
function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}

function ofType(
  type: ColumnFields["type"],
  fields: ColumnFields,
  profile: ColumnProfile | null,
): Partial<ColumnFields> {
  const missing = fields.missing === "refuse" ? "refuse" : type === "number" ? "middle" : "category";
  if (type === "number") return { type, missing, from: fields.from || "0", to: fields.to || "100" };
  return {
    type,
    missing,
    ...(fields.categories.length === 0 &&
      profile !== null &&
      categoryFields(profile, "category", fields.use === "label")),
  };
}
