"use client";
import { useState } from "react";
import type { ColumnProfile } from "#shared/sample/column-profiler.ts";
import { type DraftColumn, fieldsOfColumn } from "#shared/sample/draft.ts";
import { type ColumnFields, EMPTY_FIELDS } from "#shared/sample/propose-columns.ts";
import { Button } from "../../ui/button.tsx";
import {
  foldedWords,
  leftOutWords,
  missingWords,
  rareAndPublic,
  rarePublicWords,
  shareMissingWords,
  typeWords,
  valuesWords,
  WHAT_IS_PUBLIC,
} from "../../words/workshop.ts";
import { ColumnEdit } from "./column-edit.tsx";
import { ColumnPicture } from "./column-picture.tsx";
import { NumberedPart } from "./numbered-part.tsx";
import { SeriesFields } from "./series-fields.tsx";
import { TakenRows } from "./taken-rows.tsx";
import type { Workshop } from "./use-workshop.ts";
import { fieldId, type Problems, WrongField } from "./wrong.tsx";

interface ColumnsPartProps {
  readonly workshop: Workshop;
  readonly problems: Problems;
}

/** Part 2: what people are asked for, one row a column, one open at a time. */
export function ColumnsPart({ workshop, problems }: ColumnsPartProps) {
  const { draft } = workshop;
  const [open, setOpen] = useState<number | null>(null);
  if (draft === null) return null;
  const all = draft.columns.map((column, at) => ({ column, at, fields: fieldsOfColumn(column) }));
  const asked = all.filter(({ fields }) => fields.use !== "left-out");
  const profileOf = (name: string) =>
    workshop.sample?.table?.columns.find((column) => column.name === name) ?? null;
  return (
    <NumberedPart
      part={2}
      note="Proposed from the sample. Ranges are rounded outward, so that no limit is one person’s value."
    >
      <div className="stack">
        <SeriesFields workshop={workshop} problems={problems} />
        <div>
          <table className="records column-set">
            <caption className="sr-only">Columns that people are asked for</caption>
            <thead>
              <tr>
                <th scope="col">Column</th>
                <th scope="col">Values, rounded outward</th>
                <th scope="col">In the sample</th>
                <th scope="col" className="num">
                  Missing
                </th>
                <th scope="col">A missing value</th>
                <th scope="col">Input</th>
                <th scope="col">Protected</th>
                <th scope="col">
                  <span className="sr-only">Edit</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {asked.map(({ column, at, fields }) => (
                <ColumnRows
                  key={column.name}
                  at={at}
                  column={column}
                  fields={fields}
                  profile={profileOf(column.name)}
                  problems={problems}
                  isOpen={open === at}
                  onToggle={() => setOpen(open === at ? null : at)}
                  onChange={(change) => workshop.setColumn(at, change)}
                />
              ))}
            </tbody>
          </table>
          <div className="mt-3 grid gap-2">
            <span id={fieldId("label")} tabIndex={-1} />
            <WrongField field="label" sentence={problems.of("label")} />
            <span id={fieldId("inputs")} tabIndex={-1} />
            <WrongField field="inputs" sentence={problems.of("inputs")} />
            <AddColumn workshop={workshop} onAdded={setOpen} />
          </div>
        </div>
        <div className="cols2">
          <LeftOut
            columns={all.filter(({ fields }) => fields.use === "left-out")}
            profileOf={profileOf}
            mayAsk={draft.data.kind === "table"}
            onAsk={(at) => {
              workshop.setColumn(at, { use: "input" });
              setOpen(at);
            }}
          />
          <PublicNote workshop={workshop} profileOf={profileOf} />
        </div>
        <TakenRows workshop={workshop} />
      </div>
    </NumberedPart>
  );
}

interface ColumnRowsProps {
  readonly at: number;
  readonly column: DraftColumn;
  readonly fields: ColumnFields;
  readonly profile: ColumnProfile | null;
  readonly problems: Problems;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly onChange: (change: Partial<ColumnFields>) => void;
}

const EDITED = [
  "from",
  "to",
  "categories",
  "why",
  "unit",
  "scaling",
  "example",
  "title",
  "description",
  "name",
] as const;

function ColumnRows(props: ColumnRowsProps) {
  const { at, column, fields, profile, problems, isOpen, onToggle, onChange } = props;
  const { name } = column;
  const isLabel = fields.use === "label";
  const first = EDITED.find((field) => problems.of(`column.${at}.${field}`) !== null);
  return (
    <>
      <tr className={isOpen ? "opened" : undefined}>
        <td>
          <code className="wrap-anywhere">{name}</code>
          <span className="note">{fields.title}</span>
        </td>
        <td>
          {isLabel ? <b className="font-semibold">what is learnt</b> : typeWords(fields, profile)}
          <span className="note wrap-anywhere">{valuesWords(fields)}</span>
          {!isOpen && first !== undefined && (
            <WrongField field={`column.${at}.${first}`} sentence={problems.of(`column.${at}.${first}`)} />
          )}
        </td>
        <td className="picture">
          {profile !== null && (
            <ColumnPicture profile={profile} title={fields.title} isNumber={fields.type === "number"} />
          )}
        </td>
        <td className="num text-ink-3" data-label="missing">
          {shareMissingWords(profile)}
        </td>
        <td>{isLabel || (profile !== null && profile.missing === 0) ? "" : missingWords(fields)}</td>
        <td className="mark" data-label={isLabel ? undefined : "input"}>
          {!isLabel && (
            <label className="tick">
              <input
                type="checkbox"
                checked={fields.use === "input"}
                onChange={(event) => onChange({ use: event.target.checked ? "input" : "asked" })}
              />
              <span className="sr-only">{name} is an input</span>
            </label>
          )}
        </td>
        <td className="mark" data-label={isLabel ? undefined : "protected"}>
          {!isLabel && (
            <label className="tick">
              <input
                type="checkbox"
                checked={fields.protected}
                onChange={(event) => onChange({ protected: event.target.checked })}
              />
              <span className="sr-only">{name} is protected</span>
            </label>
          )}
        </td>
        <td>
          <button
            type="button"
            className="link underline"
            id={isOpen ? undefined : fieldId(`column.${at}.${first ?? "open"}`)}
            aria-expanded={isOpen}
            aria-label={`${isOpen ? "Close" : "Edit"} ${name}`}
            onClick={onToggle}
          >
            {isOpen ? "Close" : "Edit"}
          </button>
        </td>
      </tr>
      {isOpen && (
        <tr className="under">
          <td colSpan={8}>
            <ColumnEdit
              at={at}
              column={column}
              fields={fields}
              profile={profile}
              problems={problems}
              onChange={onChange}
            />
          </td>
        </tr>
      )}
    </>
  );
}

function LeftOut(props: {
  readonly columns: readonly { readonly column: DraftColumn; readonly at: number }[];
  readonly profileOf: (name: string) => ColumnProfile | null;
  readonly mayAsk: boolean;
  readonly onAsk: (at: number) => void;
}) {
  const { columns, profileOf, mayAsk, onAsk } = props;
  return (
    <div>
      <h3>Left out, and why</h3>
      {columns.length === 0 && <p className="note">Nothing.</p>}
      <ul className="mt-1 text-sm">
        {columns.map(({ column, at }) => (
          <li
            key={column.name}
            className="flex flex-wrap items-baseline gap-x-4 gap-y-1 border-b border-rule py-2"
          >
            <code className="min-w-24 wrap-anywhere">{column.name === "" ? "(no name)" : column.name}</code>
            <span className="min-w-0 flex-1 basis-56">
              {column.leftOutBecause === null
                ? "You left it out."
                : leftOutWords(column.leftOutBecause, profileOf(column.name))}
            </span>
            {mayAsk && column.name.trim() !== "" && (
              <button
                type="button"
                className="link underline"
                onClick={() => onAsk(at)}
                aria-label={`Ask for ${column.name} anyway`}
              >
                Ask anyway
              </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function PublicNote(props: {
  readonly workshop: Workshop;
  readonly profileOf: (name: string) => ColumnProfile | null;
}) {
  const { workshop, profileOf } = props;
  const columns = workshop.draft?.columns ?? [];
  return (
    <div className="grid content-start gap-2 text-sm">
      <h3>What publishing makes public</h3>
      <p className="text-ink-2">{WHAT_IS_PUBLIC}</p>
      {columns.map((column, at) => {
        const fields = fieldsOfColumn(column);
        if (fields.use === "left-out") return null;
        const profile = profileOf(column.name);
        const folded = foldedWords(column.name, fields, profile);
        const rare = rareAndPublic(fields, profile);
        const fold = () =>
          workshop.setColumn(at, {
            categories: fields.categories.filter((name) => !rare.includes(name)),
            other: fields.other === "" ? "other" : fields.other,
          });
        const unfold = () => workshop.setColumn(at, { categories: allValues(profile), other: "" });
        return (
          <div key={column.name} className="grid gap-2 empty:hidden">
            {folded !== null && (
              <p className="text-ink-2">
                {folded}{" "}
                <button
                  type="button"
                  className="link underline"
                  onClick={unfold}
                  aria-label={`Keep the categories of ${column.name} apart`}
                >
                  Keep them apart
                </button>
              </p>
            )}
            {rare.length > 0 && (
              <p className="text-stop">
                {rarePublicWords(column.name, fields, rare)}{" "}
                {fields.use !== "label" && (
                  <button type="button" className="link underline" onClick={fold}>
                    Fold into “{fields.other === "" ? "other" : fields.other}”
                  </button>
                )}
              </p>
            )}
          </div>
        );
      })}
    </div>
  );
}

function allValues(profile: ColumnProfile | null): string[] {
  return (profile?.distinct.values ?? []).map(([value]) => value);
}

/** Adds a column by hand, for a task that begins without a sample. */
function AddColumn({
  workshop,
  onAdded,
}: {
  readonly workshop: Workshop;
  readonly onAdded: (at: number) => void;
}) {
  const [name, setName] = useState("");
  const { draft } = workshop;
  if (draft === null || draft.data.kind !== "table") return null;
  const taken = draft.columns.some((column) => column.name === name.trim());
  const add = () => {
    const fields: ColumnFields = { ...EMPTY_FIELDS, title: name.trim(), from: "0", to: "100" };
    const column: DraftColumn = { name: name.trim(), proposed: fields, edited: {}, leftOutBecause: null };
    onAdded(draft.columns.length);
    workshop.change((now) => ({ ...now, columns: [...now.columns, column] }));
    setName("");
  };
  return (
    <details>
      <summary className="link w-fit text-sm">Add a column by hand</summary>
      <div className="mt-2 flex max-w-xl flex-wrap items-end gap-3">
        <label className="field min-w-0 flex-1">
          Its name in the header of people’s files
          <input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" />
        </label>
        <Button onClick={add} disabled={name.trim() === "" || taken}>
          Add
        </Button>
      </div>
      {taken && <p className="note mt-1">There is a column of this name.</p>}
    </details>
  );
}
