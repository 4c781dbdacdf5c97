import fc from "fast-check";

/** A way to write a table. */
export interface Dialect {
  readonly delimiter: "," | ";" | "\t" | "|";
  readonly lineEnd: "\n" | "\r" | "\r\n";
  readonly encoding: "utf-8" | "utf-8 with mark" | "utf-16le" | "utf-16be";
  readonly decimal: "." | ",";
  readonly hasSeparatorLine: boolean;
  readonly quotes: "needed" | "all" | "all, after a blank";
  /** Blank lines after this many rows; 0 for none. */
  readonly blankEvery: number;
  readonly endsWithDelimiter: boolean;
  readonly endsWithLineEnd: boolean;
  /** A first column without a name. */
  readonly hasIndex: boolean;
}

export const dialects: fc.Arbitrary<Dialect> = fc
  .record({
    delimiter: fc.constantFrom(",", ";", "\t", "|") as fc.Arbitrary<Dialect["delimiter"]>,
    lineEnd: fc.constantFrom("\n", "\r", "\r\n") as fc.Arbitrary<Dialect["lineEnd"]>,
    encoding: fc.constantFrom("utf-8", "utf-8 with mark", "utf-16le", "utf-16be") as fc.Arbitrary<
      Dialect["encoding"]
    >,
    decimal: fc.constantFrom(".", ",") as fc.Arbitrary<Dialect["decimal"]>,
    hasSeparatorLine: fc.boolean(),
    quotes: fc.constantFrom("needed", "all", "all, after a blank") as fc.Arbitrary<Dialect["quotes"]>,
    blankEvery: fc.constantFrom(0, 1, 3),
    endsWithDelimiter: fc.boolean(),
    endsWithLineEnd: fc.boolean(),
    hasIndex: fc.boolean(),
  })
  // A lone column that is not quoted would make the separator line's own delimiter ambiguous to write, not to read.
  .map((dialect) => ({
    ...dialect,
    hasSeparatorLine: dialect.hasSeparatorLine && dialect.delimiter !== "\t",
  }));

/** Writes cells, numbers with a decimal point among them, in a dialect. Independent of the code that reads. */
export function writeTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  dialect: Dialect,
): Uint8Array {
  const { delimiter, lineEnd, decimal, quotes, blankEvery, endsWithDelimiter, hasIndex } = dialect;
  const cell = (text: string): string => {
    const localized = /^-?\d+\.\d+$/.test(text) ? text.replace(".", decimal) : text;
    const needsQuotes =
      /["\r\n]/.test(localized) || localized.includes(delimiter) || localized !== localized.trim();
    if (quotes === "needed" && !needsQuotes) return localized;
    const quoted = `"${localized.replaceAll('"', '""')}"`;
    return quotes === "all, after a blank" ? ` ${quoted}` : quoted;
  };
  const line = (cells: readonly string[]): string =>
    `${cells.map(cell).join(delimiter)}${endsWithDelimiter ? delimiter : ""}`;
  const lines = [line(hasIndex ? ["", ...header] : header)];
  for (const [index, row] of rows.entries()) {
    lines.push(line(hasIndex ? [String(index), ...row] : row));
    if (blankEvery > 0 && (index + 1) % blankEvery === 0) lines.push("");
  }
  const text = `${dialect.hasSeparatorLine ? `sep=${delimiter}${lineEnd}` : ""}${lines.join(lineEnd)}${
    dialect.endsWithLineEnd ? lineEnd : ""
  }`;
  switch (dialect.encoding) {
    case "utf-8":
      return Buffer.from(text);
    case "utf-8 with mark":
      return Buffer.from(`\ufeff${text}`);
    case "utf-16le":
      return Buffer.from(`\ufeff${text}`, "utf16le");
    case "utf-16be":
      return Buffer.from(`\ufeff${text}`, "utf16le").swap16();
  }
}
