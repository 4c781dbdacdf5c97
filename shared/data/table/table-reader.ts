import { assert } from "../../kernel/assert.ts";
import type { ImportRefusal } from "../report.ts";
import { type Dialect, firstLineWidth, firstRows, guessDialect, hasText } from "./dialect.ts";
import { type Decoder, type Encoding, type OpenDecoder, SNIFF_BYTE_COUNT, sniff } from "./encoding.ts";
import { RowSplitter, type SplitRow } from "./split-rows.ts";

/*
 * Reads a table as it arrives: bytes -> text -> lines -> header and rows. Memory is bounded by the start that is held back
 * to find encoding, delimiter and header, and by the longest row.
 */

/** What a table's start says, before its rows. */
export interface TableHead extends Dialect {
  readonly encoding: Encoding;
  /** Rows of the start, trimmed and as wide as they are, without blank lines. */
  readonly sample: readonly (readonly string[])[];
}

/** A row with text. */
export interface TableRow {
  /** Counts the rows from 1: neither the header nor blank lines. */
  readonly row: number;
  /** The line of the file on which it begins, from 1. */
  readonly line: number;
  /** Trimmed. */
  readonly cells: readonly string[];
  readonly fault: SplitRow["fault"];
}

/** What was met besides rows. */
export interface TableCounts {
  readonly rowCount: number;
  /** Lines without text. */
  readonly blankCount: number;
}

export interface TableHandler {
  /** Called once, before the first row. A refusal ends the reading. */
  onHead(head: TableHead): ImportRefusal | null;
  /** Called instead if the first line with text names more columns than `columnsMax`. */
  onTooWide?(columnCount: number): ImportRefusal;
  onRow(row: TableRow): void;
}

export interface TableReading {
  readonly openDecoder: OpenDecoder;
  /** Keys (`nameKey`) of column names that tell the header. */
  readonly wanted?: ReadonlySet<string>;
  /** Read so although the bytes suggest another. */
  readonly encoding?: Encoding | undefined;
  readonly delimiter?: string | undefined;
  /** A header of more columns is refused before any row is split. Default: none is. */
  readonly columnsMax?: number;
  /** A quote is a letter everywhere, because someone said so. */
  readonly plainQuotes?: boolean | undefined;
}

/** Why a table could not be read on; `encoding`: its bytes are not of the encoding that its start suggested. */
export type TableStop =
  | { readonly type: "refused"; readonly refusal: ImportRefusal }
  | { readonly type: "encoding" };

/** Characters of the start from which the dialect is guessed; more if not even two lines have ended by then. */
const HEAD_LENGTH = 262_144;
/** A header of a million columns has about 8 million characters. */
const HEAD_LENGTH_MAX = 64_000_000;
const SAMPLE_ROWS = 200;

export class TableReader {
  readonly #reading: TableReading;
  readonly #handler: TableHandler;
  #stop: TableStop | null = null;
  #start: Uint8Array | null = new Uint8Array(0);
  #encoding: Encoding = "utf-8";
  #decoder: Decoder | null = null;
  #head = "";
  #hasText = false;
  #headLineEnds = 0;
  #splitter: RowSplitter | null = null;
  #skip = 0;
  #rowCount = 0;
  #blankCount = 0;
  #lineOffset = 0;

  constructor(reading: TableReading, handler: TableHandler) {
    this.#reading = reading;
    this.#handler = handler;
  }

  /** Why reading has ended early; `push` and `end` do nothing from then on. */
  get stop(): TableStop | null {
    return this.#stop;
  }

  get encoding(): Encoding {
    return this.#encoding;
  }

  get counts(): TableCounts {
    return { rowCount: this.#rowCount, blankCount: this.#blankCount };
  }

  push(bytes: Uint8Array): void {
    if (this.#stop !== null) return;
    if (this.#start === null) {
      this.#decode(bytes, true);
      return;
    }
    this.#start = joined(this.#start, bytes);
    if (this.#start.length >= SNIFF_BYTE_COUNT) this.#begin(this.#start);
  }

  /** Instead of `push`: text that was decoded before. */
  pushText(text: string): void {
    if (this.#start !== null) {
      this.#start = null;
      const start = Array.from(text.slice(0, SNIFF_BYTE_COUNT), (letter) =>
        Math.min(letter.charCodeAt(0), 255),
      );
      const sniffed = sniff(Uint8Array.from(start));
      if (!sniffed.ok) {
        this.#refuse("not-text", sniffed.error);
        return;
      }
    }
    this.#take(text.startsWith("\ufeff") ? text.slice(1) : text);
  }

  end(): void {
    if (this.#stop === null && this.#start !== null) this.#begin(this.#start);
    if (this.#stop === null && this.#decoder !== null) this.#decode(new Uint8Array(0), false);
    if (this.#stop === null && this.#splitter === null) this.#openRows(true);
    if (this.#stop === null) this.#splitter?.end();
  }

  #begin(start: Uint8Array): void {
    this.#start = null;
    const sniffed = sniff(start.subarray(0, SNIFF_BYTE_COUNT));
    if (!sniffed.ok) {
      this.#refuse("not-text", sniffed.error);
      return;
    }
    this.#encoding = this.#reading.encoding ?? sniffed.value;
    this.#decoder = this.#reading.openDecoder(this.#encoding);
    this.#decode(start, true);
  }

  #decode(bytes: Uint8Array, stream: boolean): void {
    assert(this.#decoder !== null, "begun");
    let text: string;
    try {
      text = this.#decoder.decode(bytes, { stream });
    } catch {
      this.#stop = { type: "encoding" };
      return;
    }
    this.#take(text);
  }

  #take(text: string): void {
    if (this.#splitter !== null) {
      this.#splitter.push(text);
      return;
    }
    this.#head += text;
    // Blank lines above the header do not count.
    const from = this.#hasText ? 0 : text.search(/\S/);
    if (from >= 0) {
      this.#hasText = true;
      this.#headLineEnds += text.slice(from).match(/\r\n|\r|\n/g)?.length ?? 0;
    }
    if (this.#head.length >= HEAD_LENGTH && this.#headLineEnds >= 2) this.#openRows(false);
    else if (this.#head.length > HEAD_LENGTH_MAX)
      this.#refuse(
        "not-text",
        "The first line is longer than 64 million characters. Check that this is a CSV file.",
      );
  }

  #openRows(isWhole: boolean): void {
    const { wanted = NONE, delimiter, plainQuotes, columnsMax = Number.POSITIVE_INFINITY } = this.#reading;
    const head = this.#head;
    this.#head = "";
    const columnCount = firstLineWidth(head, columnsMax, { delimiter, plainQuotes });
    if (columnCount > columnsMax && this.#handler.onTooWide !== undefined) {
      this.#stop = { type: "refused", refusal: this.#handler.onTooWide(columnCount) };
      return;
    }
    const dialect = guessDialect(head, isWhole, { wanted, delimiter, plainQuotes });
    if (dialect === null) {
      this.#refuse(
        "empty",
        "The file is empty. Give one with a line of column names and a line for each row.",
      );
      return;
    }
    const body = dialect.hasSeparatorLine ? head.slice(separatorLength(head)) : head;
    this.#lineOffset = dialect.hasSeparatorLine ? 1 : 0;
    this.#skip = dialect.rowsToSkip;
    const rows = firstRows(body, isWhole, dialect.delimiter, dialect.rowsToSkip + SAMPLE_ROWS, plainQuotes);
    const sample = rows
      .slice(dialect.rowsToSkip)
      .filter(hasText)
      .map(({ cells }) => trimmed(cells));
    const refusal = this.#handler.onHead({ ...dialect, encoding: this.#encoding, sample });
    if (refusal !== null) {
      this.#stop = { type: "refused", refusal };
      return;
    }
    this.#splitter = new RowSplitter(dialect.delimiter, (row) => this.#onRow(row), plainQuotes);
    this.#splitter.push(body);
  }

  #onRow(split: SplitRow): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    if (!hasText(split)) {
      this.#blankCount += 1;
      return;
    }
    this.#rowCount += 1;
    this.#handler.onRow({
      row: this.#rowCount,
      line: split.line + this.#lineOffset,
      cells: trimmed(split.cells),
      fault: split.fault,
    });
  }

  #refuse(type: ImportRefusal["type"], sentence: string): void {
    this.#stop = { type: "refused", refusal: { type, sentence, problems: [] } };
  }
}

const NONE: ReadonlySet<string> = new Set();

function trimmed(cells: readonly string[]): string[] {
  return cells.map(cellText);
}

/** Trimmed, and without the `="01"` by which Excel is told to keep a number as it is written. */
function cellText(cell: string): string {
  const text = cell.trim();
  return text.startsWith('="') && text.endsWith('"') && text.length > 3 ? text.slice(2, -1).trim() : text;
}

function separatorLength(text: string): number {
  return /^[^\r\n]*(\r\n|\r|\n|$)/.exec(text)?.[0].length ?? 0;
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right;
  const bytes = new Uint8Array(left.length + right.length);
  bytes.set(left);
  bytes.set(right, left.length);
  return bytes;
}

/** All cells from there on are blank: the lines end with delimiters. False if there are fewer cells. */
export function isBlankFrom(cells: readonly string[], from: number): boolean {
  return cells.length > from && cells.slice(from).every((cell) => cell === "");
}
