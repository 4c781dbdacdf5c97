import { parquetWriteBuffer } from "hyparquet-writer";
import type { TableFormat } from "#shared/export/table/formats.ts";
import { tableToCsv } from "#shared/export/table/table-data.ts";
import { type Bytes, utf8 } from "#shared/kernel/bytes.ts";

/** Column types: text; a whole number below 2^31; a number; a time, ISO 8601 in UTC. */
type ColumnType = "text" | "count" | "number" | "instant";

export interface TypedColumn<Row> {
  /** In lower-case words joined by underscores. */
  readonly name: string;
  readonly type: ColumnType;
  /** Null if it is not known; it is never written as 0 or as an empty text. */
  readonly value: (row: Row) => string | number | null;
}

/** Rows as a file. The same rows give the same bytes. */
export function tableFile<Row>(
  columns: readonly TypedColumn<Row>[],
  rows: readonly Row[],
  format: TableFormat,
): Bytes {
  if (format === "parquet") return parquetOf(columns, rows);
  const table = {
    columns: columns.map(({ name }) => name),
    rows: rows.map((row) => columns.map(({ value }) => value(row))),
  };
  return utf8(tableToCsv(table));
}

const PARQUET_TYPES = { text: "STRING", count: "INT32", number: "DOUBLE", instant: "TIMESTAMP" } as const;

function parquetOf<Row>(columns: readonly TypedColumn<Row>[], rows: readonly Row[]): Bytes {
  const columnData = columns.map(({ name, type, value }) => {
    const values = rows.map(value);
    return {
      name,
      type: PARQUET_TYPES[type],
      nullable: true,
      data: type === "instant" ? values.map((at) => (at === null ? null : new Date(at))) : values,
    };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: "chorus" }));
}
