/*
 * Splits text into rows of cells as it arrives, by RFC 4180 and what programs write beside it: lines end with CR, LF or
 * CRLF; a quote may follow spaces; a quote inside an unquoted cell is a letter.
 *
 * By hand, because Papa Parse reads a quote that is never closed to the end of the file, so the rows behind it are lost (F4).
 */

/** A line of a table, or several if a quoted cell holds line ends. */
export interface SplitRow {
  /** Not trimmed, except that a quoted cell is without its quotes. Empty if `fault` is set. */
  readonly cells: readonly string[];
  /** The line of the file on which it begins, from 1. */
  readonly line: number;
  /** Its quotes cannot be read: `open` is never closed, `text-after` has text after a closing quote. */
  readonly fault: "open" | "text-after" | null;
}

/** Characters of a quoted cell. What is longer is taken for a quote that was never closed. */
const QUOTED_LENGTH_MAX = 1_000_000;

export class RowSplitter {
  readonly #delimiter: string;
  readonly #onRow: (row: SplitRow) => void;
  readonly #nextQuote: typeof nextQuote;
  #text = "";
  #line = 1;

  /**
   * @param delimiter    One character.
   * @param plainQuotes  True if a quote is a letter everywhere, so that no cell spans lines.
   */
  constructor(delimiter: string, onRow: (row: SplitRow) => void, plainQuotes = false) {
    this.#delimiter = delimiter;
    this.#onRow = onRow;
    this.#nextQuote = plainQuotes ? () => Number.POSITIVE_INFINITY : nextQuote;
  }

  push(text: string): void {
    this.#text = this.#text === "" ? text : this.#text + text;
    this.#split(false);
  }

  end(): void {
    this.#split(true);
  }

  #split(ended: boolean): void {
    const text = this.#text;
    let at = 0;
    let quote = this.#nextQuote(text, 0);
    while (at < text.length) {
      const end = lineEnd(text, at, ended);
      if (end === null) break;
      if (quote < at) quote = this.#nextQuote(text, at);
      if (quote >= end.at) {
        this.#emit(text.slice(at, end.at).split(this.#delimiter), null, 1);
        at = end.next;
        continue;
      }
      const next = this.#quotedRow(text, at, end, ended);
      if (next === null) break;
      at = next;
    }
    this.#text = text.slice(at);
  }

  /**
   * Emits the row at `from`, some cell of which has a quote.
   *
   * @param line  The end of its first line.
   * @returns where the next row begins; null if the text ends before this one does.
   */
  #quotedRow(text: string, from: number, line: LineEnd, ended: boolean): number | null {
    const cells: string[] = [];
    let at = from;
    let end = line;
    let lineCount = 1;
    for (;;) {
      const quote = skipBlanks(text, at, this.#delimiter);
      if (text[quote] !== '"') {
        const delimiter = text.indexOf(this.#delimiter, at);
        if (delimiter >= 0 && delimiter < end.at) {
          cells.push(text.slice(at, delimiter));
          at = delimiter + 1;
          continue;
        }
        cells.push(text.slice(at, end.at));
        break;
      }
      const cell = quotedCell(text, quote, ended);
      if (cell === null) return null;
      const after = cell === "open" ? 0 : skipBlanks(text, cell.next, this.#delimiter);
      // Whether a line end, a delimiter or more text follows decides what the closing quote means.
      if (cell !== "open" && after >= text.length && !ended) return null;
      const spans = cell === "open" || cell.next > end.at;
      if (cell === "open" || !isCellEnd(text[after], this.#delimiter)) {
        // Read on after the line on which the quote opened, so that no other row vanishes in the cell.
        this.#emit([], spans ? "open" : "text-after", lineCount);
        return end.next;
      }
      cells.push(cell.value);
      if (spans) {
        lineCount += lineEndCount(cell.value);
        const later = lineEnd(text, cell.next, ended);
        if (later === null) return null;
        end = later;
      }
      if (text[after] !== this.#delimiter) break;
      at = after + 1;
    }
    this.#emit(cells, null, lineCount);
    return end.next;
  }

  #emit(cells: readonly string[], fault: SplitRow["fault"], lineCount: number): void {
    this.#onRow({ cells, line: this.#line, fault });
    this.#line += lineCount;
  }
}

/** Where the text of a line ends, and where the next line begins. */
interface LineEnd {
  readonly at: number;
  readonly next: number;
}

/** Null if the end is not there yet. */
function lineEnd(text: string, from: number, ended: boolean): LineEnd | null {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10) return { at, next: at + 1 };
    if (code !== 13) continue;
    if (at + 1 === text.length && !ended) return null;
    return { at, next: text.charCodeAt(at + 1) === 10 ? at + 2 : at + 1 };
  }
  return ended ? { at: text.length, next: text.length } : null;
}

function nextQuote(text: string, from: number): number {
  const at = text.indexOf('"', from);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}

function skipBlanks(text: string, from: number, delimiter: string): number {
  let at = from;
  while (text[at] === " " || (text[at] === "\t" && delimiter !== "\t")) at += 1;
  return at;
}

function isCellEnd(character: string | undefined, delimiter: string): boolean {
  return character === undefined || character === delimiter || character === "\r" || character === "\n";
}

/** The cell whose opening quote is at `from`: null if the text ends before it does, `open` if it never ends. */
function quotedCell(
  text: string,
  from: number,
  ended: boolean,
): { readonly value: string; readonly next: number } | "open" | null {
  let at = from + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    const length = (quote < 0 ? text.length : quote) - from;
    if (length > QUOTED_LENGTH_MAX || (quote < 0 && ended)) return "open";
    if (quote < 0) return null;
    if (text[quote + 1] !== '"') {
      // The next character may still make this a doubled quote.
      if (quote + 1 === text.length && !ended) return null;
      return { value: text.slice(from + 1, quote).replaceAll('""', '"'), next: quote + 1 };
    }
    at = quote + 2;
  }
}

function lineEndCount(value: string): number {
  return value.match(/\r\n|\r|\n/g)?.length ?? 0;
}
