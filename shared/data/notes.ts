import type { ColumnCells, NumberChange } from "./match/column-cells.ts";
import type { ReadingNote } from "./report.ts";
import { ENCODING_NAMES } from "./table/encoding.ts";
import type { TableHead } from "./table/table-reader.ts";
import { inWords, quoted, some } from "./words.ts";

const DELIMITER_NAMES: ReadonlyMap<string, string> = new Map([
  [",", "commas"],
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "upright strokes"],
  [" ", "blanks"],
]);
const HOW_MANY = 6;

/** Everything that was done to read a table other than taking it as it stands, for the person whose file it is. */
export function notesOf(
  head: TableHead,
  columns: readonly ColumnCells[],
  ignored: readonly number[],
  blankCount: number,
): ReadingNote[] {
  return [
    ...ignoredNotes(head, ignored),
    ...namesNotes(columns, head),
    ...numberNotes(columns),
    ...wordNotes(columns),
    ...layoutNotes(head, blankCount),
  ];
}

function ignoredNotes({ header }: TableHead, ignored: readonly number[]): ReadingNote[] {
  if (ignored.length === 0) return [];
  const names = ignored.map((at) => header[at] || `column ${at + 1}, which has no name`);
  const sentence = `${counted(ignored.length, "column")} ignored: ${some(names)}.`;
  return [{ kind: "ignored", sentence }];
}

/** Columns that were found under another name. */
function namesNotes(columns: readonly ColumnCells[], { header }: TableHead): ReadingNote[] {
  const others = columns.filter(({ match: { how, place } }) => place !== null && how !== "same");
  const [first] = others;
  if (first === undefined) return [];
  const numbered = others.filter(({ match }) => match.how === "numbered");
  const named = others.filter(({ match }) => match.how !== "numbered");
  const pairs = named.map(
    ({ match }) => `${quoted(header[match.place ?? -1] ?? "")} as ${match.column.name}`,
  );
  const from = header[numbered[0]?.match.place ?? -1] ?? "";
  return [
    ...(pairs.length === 0
      ? []
      : [
          {
            kind: "names",
            sentence: `${counted(pairs.length, "column")} read under another name: ${some(pairs)}.`,
          } as const,
        ]),
    ...(numbered.length === 0
      ? []
      : [
          {
            kind: "names",
            sentence: `${inWords(numbered.length)} numbered columns read from ${quoted(from)} on.`,
          } as const,
        ]),
  ];
}

function numberNotes(columns: readonly ColumnCells[]): ReadingNote[] {
  // Pixels share one style; it is told once.
  const styled = [
    ...new Map(columns.flatMap((cells) => (cells.style === null ? [] : [[cells.style, cells]]))).entries(),
  ];
  return NUMBER_NOTES.flatMap(([kind, done]) => {
    const found = styled.flatMap(([{ examples }, { match }]) => {
      const example = examples.get(kind);
      return example === undefined ? [] : [{ ...example, name: match.column.name }];
    });
    const [first] = found;
    if (first === undefined) return [];
    const where = found.length === 1 ? `in ${quoted(first.name)}` : `in ${found.length} columns`;
    return [{ kind, sentence: `${done}, ${where}: ${first.written} is ${first.read}.` }];
  });
}

const NUMBER_NOTES: readonly (readonly [NumberChange, string])[] = [
  ["decimal-commas", "Decimal commas read as points"],
  ["groups", "Groups of thousands read as one number"],
  ["percent", "Percent signs read"],
  ["units", "Currencies and units dropped"],
];

function wordNotes(columns: readonly ColumnCells[]): ReadingNote[] {
  const notes: ReadingNote[] = [];
  for (const cells of columns) {
    const { name } = cells.match.column;
    const words = cells.words();
    const read = words.filter(({ means, how }) => typeof means === "string" && how !== "same");
    if (read.length > 0) {
      const pairs = read.slice(0, HOW_MANY).map(({ word, means }) => `${quoted(word)} as ${means}`);
      const more = read.length > HOW_MANY ? ` and ${read.length - HOW_MANY} more` : "";
      notes.push({ kind: "words", sentence: `Words in ${quoted(name)} read: ${pairs.join(", ")}${more}.` });
    }
    const nothing = words.filter(({ means }) => means === null);
    if (nothing.length > 0) {
      const list = nothing.slice(0, HOW_MANY).map(({ word, count }) => `${quoted(word)} (${times(count)})`);
      notes.push({ kind: "missing", sentence: `Read as no value in ${quoted(name)}: ${list.join(", ")}.` });
    }
  }
  return notes;
}

/** What a table's start and its blank lines are, other than a plain header and commas. */
export function layoutNotes(head: TableHead, blankCount: number): ReadingNote[] {
  const notes: ReadingNote[] = [];
  const delimiter = DELIMITER_NAMES.get(head.delimiter) ?? quoted(head.delimiter);
  const isPlain = head.encoding === "utf-8" && !head.hasSeparatorLine;
  const text = head.encoding === "utf-8" ? "" : ` The text is ${ENCODING_NAMES[head.encoding]}.`;
  const line = head.hasSeparatorLine ? " The first line says so." : "";
  if (!isPlain || head.delimiter !== ",") {
    notes.push({ kind: "layout", sentence: `Columns are parted by ${delimiter}.${line}${text}` });
  }
  if (head.hasRowNames)
    notes.push({
      kind: "layout",
      sentence: "The rows have names, which the first line does not name; they are ignored.",
    });
  if (head.preambleCount > 0)
    notes.push({
      kind: "layout",
      sentence: `${counted(head.preambleCount, "line")} above the column names skipped.`,
    });
  if (blankCount > 0)
    notes.push({
      kind: "blank-lines",
      sentence: `${counted(blankCount, "blank line")} skipped. ${blankCount === 1 ? "It is not a row" : "They are not rows"}.`,
    });
  return notes;
}

function counted(count: number, noun: string): string {
  return `${inWords(count)} ${count === 1 ? noun : `${noun}s`}`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${inWords(count)} times`;
}
