import { nameKey } from "./names.ts";
import { RowSplitter, type SplitRow } from "./split-rows.ts";

/* How a table is laid out, by its first lines: what parts its columns, and which line names them. */

export interface Dialect {
  readonly delimiter: string;
  /** The first line is Excel's `sep=;`. */
  readonly hasSeparatorLine: boolean;
  /** Lines with text above the line of column names, without the separator line. */
  readonly preambleCount: number;
  readonly header: readonly string[];
  /** Where the rows begin in the text, as a count of rows that the splitter emits. */
  readonly rowsToSkip: number;
  /** Each row begins with a cell that the header does not name, as R writes row names. */
  readonly hasRowNames: boolean;
}

const DELIMITERS = [",", ";", "\t", "|"] as const;
/** Lines above the rows: a title, an institute, a date. */
const PREAMBLE_MAX = 20;
const SAMPLE_ROWS = 60;
/** Cells of a line that are compared with names. */
const NAMES_MAX = 2_000;
/** With the wrong delimiter a whole line is one cell. */
const NAME_LENGTH_MAX = 300;
/** Of lines this long a few tell as much as many. */
const LONG_LINE = 200_000;
const SEPARATOR_LINE = /^"?sep=(.)"?[ \t]*(\r\n|\r|\n|$)/i;

/** What the reader of a table knows before it begins. */
export interface KnownOfTable {
  /** Keys (`nameKey`) of the names that it looks for; may be empty. */
  readonly wanted: ReadonlySet<string>;
  readonly delimiter?: string | undefined;
  /** A quote is a letter everywhere. */
  readonly plainQuotes?: boolean | undefined;
}

interface Candidate {
  readonly delimiter: string;
  readonly rows: readonly SplitRow[];
  readonly headerAt: number;
  readonly namesFound: number;
  /** Share of the rows under the header that are as wide as most are. */
  readonly evenness: number;
  readonly width: number;
  /** The line of names, too, has several cells: every table of a task has a column and a label. */
  readonly isWide: boolean;
}

/**
 * @param text    The start of the file.
 * @param isWhole True if that is the whole file; otherwise its last line may be cut off.
 * @param known   What need not be guessed.
 * @returns null if the text has no line with text.
 */
export function guessDialect(text: string, isWhole: boolean, known: KnownOfTable): Dialect | null {
  const separator = SEPARATOR_LINE.exec(text);
  const body = separator === null ? text : text.slice(separator[0].length);
  const delimiter = known.delimiter ?? separator?.[1];
  const delimiters = delimiter === undefined ? DELIMITERS : [delimiter];
  const sampleRows = body.search(/[\r\n]/) > LONG_LINE ? 4 : SAMPLE_ROWS;
  const candidates = delimiters
    .filter((one, index) => index === 0 || body.includes(one))
    .map((one) =>
      tryDelimiter(firstRows(body, isWhole, one, sampleRows, known.plainQuotes), one, known.wanted),
    );
  const best = candidates.reduce((first, second) => (isBetter(second, first) ? second : first));
  const headerRow = best.rows[best.headerAt];
  if (headerRow === undefined) return null;
  const header = trimNames(headerRow.cells);
  const hasRowNames =
    best.width === header.length + 1 && headerRow.cells.length === header.length && !endsBlank(best);
  return {
    delimiter: best.delimiter,
    hasSeparatorLine: separator !== null,
    preambleCount: best.rows.slice(0, best.headerAt).filter(hasText).length,
    header: hasRowNames ? ["", ...header] : header,
    rowsToSkip: best.headerAt + 1,
    hasRowNames,
  };
}

/**
 * How many columns the first line with text has; 0 if they cannot be more than `most`. Reads that line alone, because
 * a guess of the whole dialect splits several lines in several ways.
 *
 * @param known  Without a delimiter, the one that makes the most columns counts.
 */
export function firstLineWidth(
  text: string,
  most: number,
  { delimiter: given, plainQuotes }: Omit<KnownOfTable, "wanted">,
): number {
  const separator = SEPARATOR_LINE.exec(text);
  const lines = /[^\r\n]+/g;
  lines.lastIndex = separator?.[0].length ?? 0;
  for (let found = lines.exec(text); found !== null; found = lines.exec(text)) {
    const [line] = found;
    if (line.trim() === "") continue;
    // A line with so many delimiters is longer than that.
    if (line.length <= most) return 0;
    const known = given ?? separator?.[1];
    const widths = (known === undefined ? DELIMITERS : [known]).map((delimiter) => {
      const width = 1 + countOf(line, delimiter);
      // A quoted name may hold delimiters.
      if (width <= most || plainQuotes === true || !line.includes('"')) return width;
      return firstRows(line, true, delimiter, 1)[0]?.cells.length ?? 0;
    });
    return Math.max(...widths);
  }
  return 0;
}

function countOf(text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.namesFound !== other.namesFound) return one.namesFound > other.namesFound;
  if (one.isWide !== other.isWide) return one.isWide;
  if (one.evenness !== other.evenness) return one.evenness > other.evenness;
  return one.width > other.width;
}

function tryDelimiter(rows: readonly SplitRow[], delimiter: string, wanted: ReadonlySet<string>): Candidate {
  const full = rows.map((row, index) => ({ row, index })).filter(({ row }) => hasText(row));
  const found = full
    .slice(0, PREAMBLE_MAX)
    .map(({ row, index }) => ({ index, count: namesAmong(row.cells, wanted) }));
  const most = Math.max(0, ...found.map(({ count }) => count));
  const widths = full.map(({ row }) => row.cells.length);
  const named = most > 0 ? found.find(({ count }) => count === most) : undefined;
  const usual = usualOf(widths.slice(1)) ?? widths[0] ?? 0;
  // Without a name to look for, the header is the first line that is as wide as the rows, or one cell narrower.
  const headerAt =
    named?.index ??
    full.find(({ row }) => row.cells.length >= Math.max(1, usual - 1))?.index ??
    full[0]?.index ??
    rows.length;
  const below = full.filter(({ index }) => index > headerAt).map(({ row }) => row.cells.length);
  const width = usualOf(below) ?? rows[headerAt]?.cells.length ?? 0;
  const evenness = below.length === 0 ? 1 : below.filter((one) => one === width).length / below.length;
  const isWide = width > 1 && (rows[headerAt]?.cells.length ?? 0) > 1;
  return { delimiter, rows, headerAt, namesFound: most, evenness, width, isWide };
}

function namesAmong(cells: readonly string[], wanted: ReadonlySet<string>): number {
  if (wanted.size === 0) return 0;
  const isName = (cell: string) => cell.length <= NAME_LENGTH_MAX && wanted.has(nameKey(cell));
  return cells.slice(0, NAMES_MAX).filter(isName).length;
}

/** Rows at the start of a text. */
export function firstRows(
  text: string,
  isWhole: boolean,
  delimiter: string,
  count: number,
  plainQuotes?: boolean,
): SplitRow[] {
  const rows: SplitRow[] = [];
  const splitter = new RowSplitter(delimiter, (row) => rows.push(row), plainQuotes);
  // No more lines than are wanted, unless quoted cells span some: a wide table's start may hold millions of cells.
  const lineEnds = /\r\n|\r|\n/g;
  let from = 0;
  while (from < text.length && rows.length < count) {
    for (let lines = rows.length; lines < count && lineEnds.exec(text) !== null; lines++);
    const to = lineEnds.lastIndex > from ? lineEnds.lastIndex : text.length;
    splitter.push(text.slice(from, to));
    from = to;
  }
  if (from >= text.length && isWhole) splitter.end();
  return rows.slice(0, count);
}

/** True if some cell has more than blanks. A row with unreadable quotes has text. */
export function hasText({ cells, fault }: SplitRow): boolean {
  return fault !== null || cells.some((cell) => cell.trim() !== "");
}

/** Trimmed, without the empty names that a delimiter at the line's end makes. */
function trimNames(cells: readonly string[]): string[] {
  const names = cells.map((name) => name.trim());
  while (names.length > 1 && names.at(-1) === "") names.pop();
  return names;
}

/** The rows' last cell is blank: their lines end with a delimiter. */
function endsBlank({ rows, headerAt, width }: Candidate): boolean {
  const below = rows.slice(headerAt + 1).filter((row) => row.cells.length === width);
  return below.every((row) => (row.cells.at(-1) ?? "").trim() === "");
}

/** The most frequent number. */
function usualOf(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((left, right) => right[1] - left[1] || right[0] - left[0])[0]?.[0];
}
