import { Fragment, type ReactNode } from "react";
import { FocusBox } from "./focus-box.tsx";

export interface TableColumn<Row> {
  /** Also the label of a cell if the table is shown as records. */
  readonly label: string;
  readonly numeric?: boolean;
  /** Hides the heading except from screen readers, e.g. over a column of links. */
  readonly hiddenLabel?: boolean;
  /** Left out on a phone, because its content is shown elsewhere too, or only explains. */
  readonly wideOnly?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

interface DataTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string | number;
  /** Shows records on a phone; for tables of more than four columns. */
  readonly records?: boolean;
  /** Rows on the wash, because someone has to look at them. Words in them say why. */
  readonly marked?: (row: Row) => boolean;
  /** What is open under a row, such as a question about it; null if nothing is. */
  readonly under?: (row: Row) => ReactNode | null;
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

/** A table with a hidden caption, in its own box that can scroll sideways. */
export function DataTable<Row>({
  caption,
  columns,
  rows,
  rowKey,
  records = false,
  marked,
  under,
}: DataTableProps<Row>) {
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
          {rows.map((row) => {
            const opened = under?.(row) ?? null;
            return (
              <Fragment key={rowKey(row)}>
                <tr className={opened !== null ? "opened" : marked?.(row) === true ? "marked" : undefined}>
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
                {opened !== null && (
                  <tr className="under">
                    <td colSpan={columns.length}>{opened}</td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </FocusBox>
  );
}
