import type { ByteSource } from "../archive/byte-source.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { Features } from "../task/features.ts";
import { labelName } from "../task/target.ts";
import { type CsvColumn, csvColumns } from "./csv-columns.ts";
import type { LeftOutRow } from "./left-out.ts";
import type { ColumnCells, ReadWord } from "./match/column-cells.ts";
import type { Mapping } from "./match/mapping.ts";
import type { DecimalMark } from "./match/numbers.ts";
import {
  type ColumnMatch,
  type Doubt,
  type HowFound,
  looksLikeRow,
  proposeMapping,
} from "./match/propose-mapping.ts";
import { notesOf } from "./notes.ts";
import {
  type Imported,
  type ImportRefusal,
  type ImportReport,
  refuseImport,
  rowsMaxOf,
  STOPPED,
} from "./report.ts";
import { KeptRows, type OpenRowSink } from "./row-sink.ts";
import type { Encoding, OpenDecoder } from "./table/encoding.ts";
import { nameKey } from "./table/names.ts";
import { type TableHead, TableReader } from "./table/table-reader.ts";
import { RowTaker } from "./take-rows.ts";
import { inWords, quoted, some } from "./words.ts";

/*
 * A CSV file becomes rows for a task's model. The file is read from end to end; if its later part shows that it was
 * misunderstood (an encoding, a decimal comma), it is read again.
 */

/** A mapping that was used before, and the header that it is for. */
export interface RememberedMapping {
  readonly header: readonly string[];
  readonly mapping: Mapping;
}

export interface ReadingOptions {
  readonly mapping?: Mapping | null | undefined;
  /** Used instead if the file has the same header, and nobody said anything else. */
  readonly remembered?: RememberedMapping | null | undefined;
  /** Called with the bytes and the rows read so far. */
  readonly onProgress?: (byteCount: number, rowCount: number) => void;
  /** Reading ends with the refusal `stopped` once it says so. */
  readonly isStopped?: () => boolean;
  /** Takes columns that only resemble the task's, because a person looks before the rows are used. */
  readonly takesUnsure?: boolean;
  /** A quote is a letter everywhere. */
  readonly plainQuotes?: boolean;
  /** Bytes that are read at a time. */
  readonly chunkByteCount?: number;
}

/** One of the task's columns in the file. */
export interface ColumnLook {
  readonly name: string;
  /** Index in the header; null if the file does not have it. */
  readonly place: number | null;
  readonly how: HowFound;
  /** False if a person should look: at its name, or at numbers that can be read in two ways. */
  readonly isSure: boolean;
  /** What is doubtful about its name. */
  readonly doubt: Doubt | null;
  /** Values in the first rows. */
  readonly firstValues: readonly string[];
  /** Words other than the task's own. */
  readonly words: readonly ReadWord[];
  readonly decimal: DecimalMark | null;
  readonly isDecimalOpen: boolean;
}

/** A file as it was understood. */
export interface TableLook {
  readonly header: readonly string[];
  readonly encoding: Encoding;
  readonly delimiter: string;
  /** Of a table the task's columns, the label last. Of pictures and series the label alone. */
  readonly columns: readonly ColumnLook[];
  /** Columns of pixels or steps: how many the file has, of how many. Null for a table. */
  readonly numbered: { readonly found: number; readonly needed: number } | null;
  /** The remembered mapping was used. */
  readonly isRemembered: boolean;
}

export interface TableRead<Outcome = Imported> {
  /** Null if the file is no table. */
  readonly look: TableLook | null;
  readonly outcome: Result<Outcome, ImportRefusal>;
}

/** Each is called once for each time that the file is read. */
export interface TableSinks {
  readonly openRows: OpenRowSink;
  /** What it returns is called with the rows left out. */
  readonly openLeftOut?: (() => (row: LeftOutRow) => void) | undefined;
}

/**
 * Reads a whole file. Memory is that of the rows that are taken, and of the longest row.
 *
 * Throws what the source throws, for example if the file changes meanwhile.
 */
export async function readTable(
  source: ByteSource,
  openDecoder: OpenDecoder,
  features: Features,
  options: ReadingOptions = {},
): Promise<TableRead> {
  const kept = new KeptRows(features);
  const { look, outcome } = await scanTable(source, openDecoder, features, options, kept);
  return { look, outcome: kept.imported(outcome) };
}

/** Like `readTable`, with the rows in `sinks` instead of in memory. */
export async function scanTable(
  source: ByteSource,
  openDecoder: OpenDecoder,
  features: Features,
  options: ReadingOptions,
  sinks: TableSinks,
): Promise<TableRead<ImportReport>> {
  const {
    isStopped = () => false,
    onProgress = () => {},
    mapping,
    chunkByteCount = CHUNK_BYTE_COUNT,
  } = options;
  let settings: Settings = { encoding: mapping?.encoding, revised: NO_MARKS };
  for (let reads = 1; ; reads++) {
    const pass = new Pass(features, options, settings, openDecoder, sinks);
    for (let from = 0; from < source.byteCount && pass.reader.stop === null; from += chunkByteCount) {
      if (isStopped()) return { look: null, outcome: STOPPED };
      const to = Math.min(source.byteCount, from + chunkByteCount);
      pass.reader.push(await source.read(from, to));
      onProgress(to, pass.reader.counts.rowCount);
    }
    pass.reader.end();
    const revised = reads < READS_MAX ? pass.revise() : null;
    if (revised === null) return pass.result();
    settings = revised;
  }
}

/**
 * Reads a text that is in memory. Columns may be in any order and under names that differ in spelling; one that only
 * resembles is refused. `csvColumns` says which columns there are.
 *
 * Errors: see `ImportRefusal`.
 */
export function readCsv(
  text: string,
  features: Features,
  options: Pick<ReadingOptions, "mapping" | "takesUnsure"> = {},
): Result<Imported, ImportRefusal> {
  return readText(text, features, options).outcome;
}

/** Like `readCsv`, with what was understood. */
export function readText(
  text: string,
  features: Features,
  options: Pick<ReadingOptions, "mapping" | "takesUnsure"> = {},
): TableRead {
  const kept = new KeptRows(features);
  let settings: Settings = { encoding: undefined, revised: NO_MARKS };
  for (let reads = 1; ; reads++) {
    const pass = new Pass(features, options, settings, () => ({ decode: () => "" }), kept);
    pass.reader.pushText(text);
    pass.reader.end();
    const revised = reads < READS_MAX ? pass.revise() : null;
    if (revised === null) {
      const { look, outcome } = pass.result();
      return { look, outcome: kept.imported(outcome) };
    }
    settings = revised;
  }
}

/** Small enough that a page's worker hears a Stop within some milliseconds. */
const CHUNK_BYTE_COUNT = 2 ** 18;
/** Once as UTF-8, once in another encoding, once with other decimal marks. */
const READS_MAX = 3;
const NO_MARKS: ReadonlyMap<string, DecimalMark> = new Map();
/** Names of the task's columns by which the header is told from lines above it. */
const WANTED_MAX = 1_000;
/** Columns of a file beside those of the task. */
const COLUMNS_MORE = 20_000;
const FIRST_VALUES = 3;

/** What an earlier reading found. */
interface Settings {
  readonly encoding: Encoding | undefined;
  readonly revised: ReadonlyMap<string, DecimalMark>;
}

/** One reading of a file. */
class Pass {
  readonly reader: TableReader;
  readonly #features: Features;
  readonly #options: ReadingOptions;
  readonly #settings: Settings;
  readonly #openRows: OpenRowSink;
  readonly #onLeftOut: ((row: LeftOutRow) => void) | undefined;
  readonly #columns: readonly CsvColumn[];
  #head: TableHead | null = null;
  #matches: readonly ColumnMatch[] = [];
  #taker: RowTaker | null = null;
  #isRemembered = false;

  constructor(
    features: Features,
    options: ReadingOptions,
    settings: Settings,
    openDecoder: OpenDecoder,
    { openRows, openLeftOut }: TableSinks,
  ) {
    this.#features = features;
    this.#options = options;
    this.#settings = settings;
    this.#openRows = openRows;
    this.#onLeftOut = openLeftOut?.();
    this.#columns = csvColumns(features);
    const label = labelName(features);
    const said = (options.mapping ?? options.remembered?.mapping)?.columns ?? [];
    const names = [
      ...this.#columns.slice(0, WANTED_MAX).flatMap(namesOf),
      ...said.slice(0, WANTED_MAX).flatMap(({ from }) => from ?? []),
      label,
    ];
    this.reader = new TableReader(
      {
        openDecoder,
        wanted: new Set(names.map(nameKey)),
        encoding: settings.encoding,
        delimiter: options.mapping?.delimiter,
        columnsMax: this.#columns.length + COLUMNS_MORE,
        plainQuotes: options.plainQuotes,
      },
      {
        onHead: (head) => this.#onHead(head),
        onTooWide: (columnCount) => this.#tooWide(columnCount),
        onRow: (row) => this.#taker?.take(row),
      },
    );
  }

  #onHead(head: TableHead): ImportRefusal | null {
    const { header, sample } = head;
    if (header.length > this.#columns.length + COLUMNS_MORE) return this.#tooWide(header.length);
    this.#head = head;
    const { mapping, remembered } = this.#options;
    this.#isRemembered = mapping == null && remembered != null && isSame(header, remembered.header);
    const said = this.#isRemembered ? remembered?.mapping : mapping;
    this.#matches = proposeMapping(header, sample, this.#features, said ?? null);
    const missing = this.#matches.filter(({ column, place }) => place === null && !mayLack(column));
    if (missing.length > 0) return missingColumns(missing, this.#columns, header);
    this.#taker = new RowTaker({
      features: this.#features,
      matches: this.#matches,
      headerWidth: header.length,
      sample,
      rowsMax: rowsMaxOf(this.#features),
      revised: this.#settings.revised,
      rows: this.#openRows(),
      onLeftOut: this.#onLeftOut,
    });
    return null;
  }

  #tooWide(columnCount: number): ImportRefusal {
    const names = some(this.#columns.map(({ name }) => name));
    return {
      type: "too-many-columns",
      sentence: `The first line names ${inWords(columnCount)} columns, too many to be a table for this task. Its columns are ${names}.`,
      problems: [],
    };
  }

  /** How to read the file again; null if it was understood. */
  revise(): Settings | null {
    const { encoding, revised } = this.#settings;
    if (this.reader.stop?.type === "encoding") {
      return encoding === undefined && this.reader.encoding === "utf-8"
        ? { encoding: "windows-1252", revised }
        : null;
    }
    const better = (this.#taker?.columns ?? []).flatMap(({ match, betterMark }) =>
      betterMark === null || revised.has(match.column.name) ? [] : [[match.column.name, betterMark] as const],
    );
    return better.length === 0 ? null : { encoding, revised: new Map([...revised, ...better]) };
  }

  result(): TableRead<ImportReport> {
    const head = this.#head;
    return { look: head === null ? null : this.#look(head), outcome: this.#outcome(head) };
  }

  #outcome(head: TableHead | null): Result<ImportReport, ImportRefusal> {
    const { stop, counts } = this.reader;
    if (stop?.type === "refused") return err(stop.refusal);
    const taker = this.#taker;
    if (stop !== null || taker === null || head === null) {
      return refuseImport("not-text", "The letters of this file cannot be read. Save it as CSV in UTF-8.");
    }
    const { rowCount, blankCount } = counts;
    if (rowCount === 0)
      return refuseImport("no-rows", "The file has column names but no rows. Add at least one row.");
    const { leftOut } = taker;
    if (taker.count === 0) {
      const { problems } = leftOut;
      const none = rowCount === 1 ? "The only row cannot" : `None of the ${inWords(rowCount)} rows can`;
      return refuseImport("no-good-rows", `${none} be used. ${problems[0]?.sentence ?? ""}`, problems);
    }
    const rowsMax = rowsMaxOf(this.#features);
    if (taker.count > rowsMax) {
      return refuseImport(
        "too-many-rows",
        `${inWords(taker.count)} rows of this file can be used, and one device takes at most ${inWords(rowsMax)} for this task. Use a part of the file.`,
      );
    }
    if (this.#options.takesUnsure !== true) {
      const unsure = taker.columns.flatMap((cells) => unsureSentence(cells, head) ?? []);
      if (unsure.length > 0) {
        return refuseImport(
          "unsure-columns",
          `Someone must look at this file first: ${unsure.slice(0, 8).join("; ")}. Name columns and words as the task does, or say in a mapping what they are.`,
        );
      }
    }
    const ignored = unusedOf(head, this.#matches);
    return ok({
      rowsRead: rowCount,
      rowsTaken: taker.count,
      rowsLeftOut: leftOut.count,
      reasons: leftOut.reasons(),
      problems: leftOut.problems,
      notes: notesOf(head, taker.columns, ignored, blankCount),
    });
  }

  #look({ header, encoding, delimiter, sample }: TableHead): TableLook {
    const isTable = this.#features.kind === "tabular";
    const cells = new Map(this.#taker?.columns.map((column) => [column.match, column]));
    const numbered = this.#matches.filter(({ column }) => column.type !== "label");
    return {
      header,
      encoding,
      delimiter,
      isRemembered: this.#isRemembered,
      columns: this.#matches
        .filter(({ column }) => isTable || column.type === "label")
        .map((match): ColumnLook => {
          const { column, place, how, doubt } = match;
          const read = cells.get(match);
          const isDecimalOpen = read?.isDecimalOpen ?? false;
          return {
            name: column.name,
            place,
            how,
            isSure: doubt === null && !isDecimalOpen,
            doubt,
            firstValues: place === null ? [] : sample.slice(0, FIRST_VALUES).map((row) => row[place] ?? ""),
            words: read?.words() ?? [],
            decimal: read?.style?.mark ?? null,
            isDecimalOpen,
          };
        }),
      numbered: isTable
        ? null
        : { found: numbered.filter(({ place }) => place !== null).length, needed: numbered.length },
    };
  }
}

/** Null values of such a column are allowed, so that a file may lack it. Protected ones are what fairness is judged by. */
function mayLack(column: CsvColumn): boolean {
  return column.type !== "label" && !column.protected && column.missing !== undefined;
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name, index) => name === right[index]);
}

function unusedOf({ header }: TableHead, matches: readonly ColumnMatch[]): number[] {
  const used = new Set(matches.map(({ place }) => place));
  return [...header.keys()].filter((at) => !used.has(at));
}

function missingColumns(
  missing: readonly ColumnMatch[],
  columns: readonly CsvColumn[],
  header: readonly string[],
): ImportRefusal {
  const names = missing.map(({ column }) => titleOf(column));
  const [only] = missing;
  const task = some(columns.map(({ name }) => name));
  const because =
    header.length === 1
      ? `The file has one column, ${quoted(header[0] ?? "")}. Columns must be parted by commas, semicolons, tabs or upright strokes, and no line may be quoted as a whole. Save it as CSV. The columns are ${task}.`
      : looksLikeRow(header, columns)
        ? `The first line must name the columns, but it holds values. The columns are ${task}.`
        : only !== undefined && missing.length === 1
          ? `Your file has nothing for ${quoted(titleOf(only.column))}. Without it no row can teach anything. The columns are ${task}.`
          : `Your file has nothing for ${some(names)}. Without them no row can teach anything. The columns are ${task}.`;
  return { type: "missing-columns", sentence: because, problems: [] };
}

/** What a person should look at in a column; null if nothing. */
function unsureSentence(cells: ColumnCells, { header }: TableHead): string | null {
  const { column, place, doubt } = cells.match;
  const name = quoted(column.name);
  if (doubt !== null) return doubtSentence(doubt, quoted(header[place ?? -1] ?? ""), name, header);
  if (cells.isDecimalOpen)
    return `numbers in ${name} can be read with a decimal comma or with groups of thousands`;
  const words = cells.words().filter(({ how, means }) => how === "unknown" && means === null);
  return words.length === 0
    ? null
    : `${some(words.map(({ word }) => quoted(word)))} in ${name} would count as no value`;
}

function doubtSentence(doubt: Doubt, found: string, name: string, header: readonly string[]): string {
  switch (doubt.type) {
    case "twice": {
      const names = [...new Set(doubt.places.map((place) => quoted(header[place] ?? "")))];
      return names.length === 1
        ? `${doubt.places.length === 2 ? "two" : doubt.places.length} columns are called ${names[0]}`
        : `${names.join(" and ")} are both names of ${name}`;
    }
    case "unit":
      return `${found} is in ${doubt.file}, and ${name} is in ${doubt.task}`;
    case "resembles":
      return `${found} resembles ${name}`;
  }
}

function titleOf(column: CsvColumn): string {
  return ("title" in column ? column.title : undefined) ?? column.name;
}

function namesOf(column: CsvColumn): string[] {
  return [column.name, titleOf(column)];
}
