"use client";
import { useMemo, useState } from "react";
import type { ColumnProfile } from "#shared/sample/column-profiler.ts";
import { type DraftColumn, fieldsOfColumn } from "#shared/sample/draft.ts";
import { type ColumnFields, EMPTY_FIELDS } from "#shared/sample/propose-columns.ts";
import { Button } from "../../ui/button.tsx";
import { ShowMore, useShownCount } from "../../ui/show-more.tsx";
import { missingWords, shareMissingWords, typeWords, valuesWords } from "../../words/workshop.ts";
import { ColumnEdit } from "./column-edit.tsx";
import { ColumnPicture } from "./column-picture.tsx";
import { LeftOut, type ProfileOf, PublicNote } from "./columns-notes.tsx";
import { NumberedPart } from "./numbered-part.tsx";
import { SeriesFields, SeriesSwitch } from "./series-fields.tsx";
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
  const profileOf = useProfiles(workshop);
  if (draft === null) return null;
  const all = draft.columns.map((column, at) => ({ column, at, fields: fieldsOfColumn(column) }));
  const asked = all.filter(({ fields }) => fields.use !== "left-out");
  return (
    <NumberedPart
      part={2}
      note="Proposed from the sample. Ranges are rounded outward, so that no limit is one person’s value."
    >
      <div className="stack">
        <SeriesSwitch workshop={workshop} />
        <SeriesFields workshop={workshop} problems={problems} />
        <div>
          <ColumnSet
            workshop={workshop}
            problems={problems}
            asked={asked}
            profileOf={profileOf}
            open={open}
            onOpen={setOpen}
          />
          <div className="mt-3 grid gap-2">
            <span id={fieldId("label")} tabIndex={-1} />
            <WrongField field="label" problems={problems} />
            <span id={fieldId("inputs")} tabIndex={-1} />
            <WrongField field="inputs" problems={problems} />
            <span id={fieldId("columns")} tabIndex={-1} />
            <WrongField field="columns" problems={problems} />
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

/** The profile of a column by its name; null without a sample. */
function useProfiles({ sample }: Workshop): ProfileOf {
  const columns = sample?.table?.columns;
  return useMemo(() => {
    // Of columns with one name the first is asked for.
    const byName = new Map(columns?.toReversed().map((column) => [column.name, column]));
    return (name) => byName.get(name) ?? null;
  }, [columns]);
}

/** Rows of a wide table that are drawn at first: drawing thousands keeps a page busy for seconds. */
const ROWS_FIRST = 50;
/** Rows further down that are drawn all the same, because something in them is wrong. */
const WRONG_ROWS_SHOWN = 20;

interface AskedColumn {
  readonly column: DraftColumn;
  readonly at: number;
  readonly fields: ColumnFields;
}

/** The columns that people are asked for: the first, those in which something is wrong, and the one that is open. */
function ColumnSet(
  props: ColumnsPartProps & {
    readonly asked: readonly AskedColumn[];
    readonly profileOf: ProfileOf;
    readonly open: number | null;
    readonly onOpen: (at: number | null) => void;
  },
) {
  const { workshop, problems, asked, profileOf, open, onOpen } = props;
  const [count, onMore] = useShownCount("columns", ROWS_FIRST);
  const isWrong = ({ at }: AskedColumn) => wrongFieldOf(problems, at) !== undefined;
  const below = asked.slice(count).filter((one) => one.at === open || isWrong(one));
  return (
    <ShowMore items={asked} count={count} onMore={onMore}>
      {(shown) => (
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
            {[...shown, ...below.slice(0, WRONG_ROWS_SHOWN)].map(({ column, at, fields }) => (
              <ColumnRows
                key={at}
                at={at}
                column={column}
                fields={fields}
                profile={profileOf(column.name)}
                problems={problems}
                isOpen={open === at}
                onToggle={() => onOpen(open === at ? null : at)}
                onChange={(change) => workshop.setColumn(at, change)}
              />
            ))}
          </tbody>
        </table>
      )}
    </ShowMore>
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

function wrongFieldOf(problems: Problems, at: number): (typeof EDITED)[number] | undefined {
  return EDITED.find((field) => problems.of(`column.${at}.${field}`) !== null);
}

function ColumnRows(props: ColumnRowsProps) {
  const { at, column, fields, profile, problems, isOpen, onToggle, onChange } = props;
  const { name } = column;
  const isLabel = fields.use === "label";
  const first = wrongFieldOf(problems, at);
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
            <WrongField field={`column.${at}.${first}`} problems={problems} />
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
