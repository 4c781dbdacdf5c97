import type { ReactNode } from "react";
import { FocusBox } from "./focus-box.tsx";

export interface TableColumn<Row> {
  /** Also the label of a cell, once the table is shown as records. */
  readonly label: string;
  readonly numeric?: boolean;
  /** The heading is for screen readers only, e.g. over a column of links. */
  readonly hiddenLabel?: boolean;
  /** Left out on a phone: what it says also stands elsewhere, or only explains. */
  readonly wideOnly?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

interface DataTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string | number;
  /** Becomes records on a phone; for tables of more than four columns. */
  readonly records?: boolean;
}

function cellClass({
  numeric = false,
  wideOnly = false,
}: {
  numeric?: boolean;
  wideOnly?: boolean;
}): string | undefined {
  const names = [numeric && "num", wideOnly && "max-md:hidden"].filter((name) => name !== false);
  return names.length === 0 ? undefined : names.join(" ");
}

/** A table with a hidden caption, in a box of its own that scrolls sideways if it must. */
export function DataTable<Row>({ caption, columns, rows, rowKey, records = false }: DataTableProps<Row>) {
  return (
    <FocusBox className="table-box" label={caption}>
      <table className={records ? "records" : undefined}>
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.label} scope="col" className={cellClass(column)}>
                {column.hiddenLabel ? <span className="sr-only">{column.label}</span> : column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column, index) => (
                <td
                  key={column.label}
                  className={cellClass(column)}
                  data-label={index > 0 && !column.hiddenLabel ? column.label.toLowerCase() : undefined}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </FocusBox>
  );
}
