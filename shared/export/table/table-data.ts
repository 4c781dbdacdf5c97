/** The figures of a chart as a table: the same data are drawn, downloaded as CSV and read aloud. */
export interface TableData {
  /** Column headings with their unit, e.g. "loss, nats". */
  readonly columns: readonly string[];
  /** null means unknown; it is never shown as 0. */
  readonly rows: readonly (readonly (number | string | null)[])[];
}

function csvField(value: number | string | null): string {
  if (value === null) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180: commas, CRLF, doubled quotes; numbers with all their digits. */
export function tableToCsv(table: TableData): string {
  return [table.columns, ...table.rows].map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}
