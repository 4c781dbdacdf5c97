/** The figures of a chart as a table: what is drawn, downloaded as CSV and read aloud is the same. */
export interface TableData {
  /** Column heads with their unit, e.g. "loss, nats". */
  readonly columns: readonly string[];
  /** null is a value that is not known; it is never shown as 0. */
  readonly rows: readonly (readonly (number | string | null)[])[];
}

function csvField(value: number | string | null): string {
  if (value === null) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180: comma, CRLF, quotes doubled; numbers with all their digits. */
export function tableToCsv(table: TableData): string {
  return [table.columns, ...table.rows].map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}
