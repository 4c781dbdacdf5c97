"use client";
import type { CsvColumn } from "#shared/data/csv-columns.ts";
import type { ColumnMapping } from "#shared/data/match/mapping.ts";
import type { ColumnLook, TableLook } from "#shared/data/read-csv.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { formatCount } from "../../words/format.ts";
import { columnTitle, howWords, needsLook, wantedWords } from "../../words/mapping.ts";

/** Words of one column that are asked about at a time. */
const WORDS_SHOWN = 12;
const NOT_IN_FILE = "";
const NO_VALUE = " no value";
const LEAVE_OUT = " leave out";

interface Row {
  readonly column: CsvColumn;
  readonly look: ColumnLook;
}

/** Which column of the file is which of the task's, to look at and to change. */
export function HeaderMapping(props: {
  readonly columns: readonly CsvColumn[];
  readonly look: TableLook;
  readonly disabled: boolean;
  readonly onChange: (change: ColumnMapping) => void;
}) {
  const { columns, look, disabled, onChange } = props;
  const byName = new Map(look.columns.map((one) => [one.name, one]));
  const rows = columns.flatMap((column): Row[] => {
    const found = byName.get(column.name);
    return found === undefined ? [] : [{ column, look: found }];
  });
  return (
    <DataTable
      caption="Columns of the task, and yours"
      records
      rowKey={({ column }) => column.name}
      rows={rows}
      marked={({ look: column }) => needsLook(column)}
      under={(row) => underOf(row, look, disabled, onChange)}
      columns={[
        {
          label: "The task asks for",
          cell: ({ column }) => (
            <>
              <b className="font-semibold">{columnTitle(column)}</b>
              <span className="note block">{wantedWords(column)}</span>
            </>
          ),
        },
        {
          label: "Your column",
          cell: (row) => (
            <select
              className="min-h-11 w-full md:max-w-56 md:min-w-44"
              aria-label={`Your column for ${row.column.name}`}
              value={row.look.place === null ? NOT_IN_FILE : String(row.look.place)}
              disabled={disabled}
              onChange={({ target }) => onChange(columnAt(row.column.name, target.value, look))}
            >
              {look.header.map((name, place) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a column is its place in the file
                <option key={place} value={place}>
                  {nameAt(look, place, name)}
                </option>
              ))}
              <option value={NOT_IN_FILE}>not in my file</option>
            </select>
          ),
        },
        {
          label: "First values",
          cell: (row) => (
            <span className="mono break-words">
              {row.look.firstValues.map((value) => value || "–").join(", ")}
            </span>
          ),
        },
        {
          label: "How it was found",
          cell: (row) => (
            <StatusMark kind={needsLook(row.look) ? "waiting" : "noted"}>{howWords(row.look)}</StatusMark>
          ),
        },
      ]}
    />
  );
}

function nameAt({ header }: TableLook, place: number, name: string): string {
  if (name === "") return `column ${place + 1}, without a name`;
  return header.indexOf(name) === header.lastIndexOf(name) ? name : `${name}, column ${place + 1}`;
}

function columnAt(column: string, value: string, { header }: TableLook): ColumnMapping {
  if (value === NOT_IN_FILE) return { column, from: null };
  const place = Number(value);
  return { column, from: header[place] ?? "", place: place + 1 };
}

/** What is asked about a column under its row; null if nothing is. */
function underOf(
  { column, look }: Row,
  table: TableLook,
  disabled: boolean,
  onChange: (change: ColumnMapping) => void,
) {
  if (look.place === null) return null;
  const from = { column: column.name, from: table.header[look.place] ?? "", place: look.place + 1 };
  if (look.isDecimalOpen || (look.how === "chosen" && look.decimal === "comma")) {
    return (
      <label className="flex flex-wrap items-center gap-3">
        <span>A number such as 1,234 is</span>
        <select
          className="min-h-11"
          value={look.isDecimalOpen ? "" : (look.decimal ?? "")}
          disabled={disabled}
          onChange={({ target }) =>
            onChange({ ...from, decimal: target.value === "comma" ? "comma" : "point" })
          }
        >
          {look.isDecimalOpen && <option value="">please choose</option>}
          <option value="point">one thousand two hundred and thirty-four</option>
          <option value="comma">one and a bit (1.234)</option>
        </select>
      </label>
    );
  }
  const asked = look.words.filter(({ how }) => how === "unknown" || how === "chosen").slice(0, WORDS_SHOWN);
  const categories = wordsOf(column);
  if (asked.length === 0 || categories.length === 0) return null;
  const mayLack = column.type !== "label" && column.missing !== undefined;
  const say = (word: string, value: string) => {
    const others = look.words.flatMap(({ word: other, means, how }) =>
      how === "chosen" && other !== word && means !== undefined ? [{ word: other, means }] : [],
    );
    const said = value === LEAVE_OUT ? [] : [{ word, means: value === NO_VALUE ? null : value }];
    onChange({ ...from, words: [...others, ...said] });
  };
  return (
    <div>
      <fieldset className="flex flex-wrap gap-x-6 gap-y-3" aria-label={`What the words in ${from.from} mean`}>
        {asked.map(({ word, count, means }) => (
          <label key={word} className="grid gap-1">
            <span>
              “{word.slice(0, 40)}”, {formatCount(count)}
            </span>
            <select
              className="min-h-11"
              value={means === undefined ? LEAVE_OUT : (means ?? NO_VALUE)}
              disabled={disabled}
              onChange={({ target }) => say(word, target.value)}
            >
              {categories.map((category) => (
                <option key={category}>{category}</option>
              ))}
              {mayLack ? (
                <option value={NO_VALUE}>no value</option>
              ) : (
                <option value={LEAVE_OUT}>none of these: leave the rows out</option>
              )}
            </select>
          </label>
        ))}
      </fieldset>
      {mayLack && (
        <p className="note mt-2">A word that is none of these counts as missing, which this task allows.</p>
      )}
    </div>
  );
}

function wordsOf(column: CsvColumn): readonly string[] {
  if (column.type === "categorical") return column.categories;
  return column.type === "label" && column.target.kind === "classes" ? column.target.classes : [];
}
