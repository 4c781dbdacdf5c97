import { DecimalEvidence, type DecimalMark, type NumberPlace, plainNumber } from "./numbers.ts";
import { type ColumnMatch, categoriesOf, numberPlaceOf } from "./propose-mapping.ts";
import { isMissingWord, matchWord, type WordMatch } from "./words-match.ts";

/** A word of a column and what it was read as. */
export interface ReadWord {
  readonly word: string;
  readonly count: number;
  /** A category, or null for no value. Undefined if nothing tells what it means. */
  readonly means: string | null | undefined;
  /** `missing`: a word that programs write for nothing. `unknown`: it is none of the column's. */
  readonly how: WordMatch["how"] | "missing" | "unknown";
}

/** How the numbers of one column, or of all pixels, are written. */
export class NumberStyle {
  mark: DecimalMark = "point";
  /** Numbers that only this mark reads, and that only the other one would. */
  forMark = 0;
  againstMark = 0;
  /** For each thing that was done to numbers, the first that it was done to. */
  readonly examples = new Map<NumberChange, { readonly written: string; readonly read: string }>();
}

/** What is done to read a number; the kind of its note. */
export type NumberChange = "decimal-commas" | "groups" | "percent" | "units";

/** Different words that are counted in a column; others are read, but not listed. */
const WORDS_MAX = 2_000;

interface Meaning {
  readonly means: string | null | undefined;
  readonly how: ReadWord["how"];
  count: number;
}

/** The cells of one of the task's columns: what each is read as, and what was met. */
export class ColumnCells {
  readonly match: ColumnMatch;
  readonly style: NumberStyle | null;
  readonly #numbers: NumberPlace | null;
  readonly #categories: readonly string[];
  readonly #evidence: DecimalEvidence | null;
  readonly #said: ReadonlyMap<string, string | null>;
  readonly #words = new Map<string, Meaning>();

  /** @param shared  If the column's numbers are written like those of others. */
  constructor(match: ColumnMatch, shared: NumberStyle | null) {
    this.match = match;
    this.#numbers = numberPlaceOf(match.column);
    this.#categories = categoriesOf(match.column);
    this.#evidence = this.#numbers === null ? null : new DecimalEvidence(this.#numbers);
    this.style = this.#numbers === null ? null : (shared ?? new NumberStyle());
    this.#said = new Map(match.said?.words?.map(({ word, means }) => [word, means]));
  }

  /** Looks how numbers are written in the first rows. */
  learn(sample: readonly (readonly string[])[]): void {
    const { place } = this.match;
    if (this.#evidence === null || place === null) return;
    for (const row of sample) this.#evidence.see(row[place] ?? "");
  }

  /** What the first rows say about the decimal mark; null if they say nothing. */
  get markSeen(): DecimalMark | null {
    return this.#evidence?.mark ?? null;
  }

  /** True if numbers can be read in two ways, nothing in the column tells which, and nobody said. */
  get isDecimalOpen(): boolean {
    if (this.#evidence === null || this.style === null || this.match.said?.decimal !== undefined)
      return false;
    return this.#evidence.isOpen && this.style.forMark === 0;
  }

  /** @param mostlyComma  The other columns of the file have decimal commas. */
  settle(revised: ReadonlyMap<string, DecimalMark>, mostlyComma: boolean): void {
    if (this.style === null || this.#evidence === null) return;
    const { column, said } = this.match;
    const guess = this.#evidence.mark ?? (this.#evidence.isOpen ? (mostlyComma ? "comma" : "point") : null);
    const mark = said?.decimal ?? revised.get(column.name) ?? guess;
    if (mark !== null) this.style.mark = mark;
  }

  /** Null if the rows were read with the mark that most of them have. */
  get betterMark(): DecimalMark | null {
    const { style } = this;
    if (style === null || this.match.said?.decimal !== undefined) return null;
    if (style.againstMark <= style.forMark) return null;
    return style.mark === "point" ? "comma" : "point";
  }

  /** The column's cell of a row, as `encodeRow` takes it; empty if it holds no value. */
  text(cells: readonly string[]): string {
    const { place } = this.match;
    const text = place === null ? "" : (cells[place] ?? "");
    if (this.#numbers !== null && this.style !== null) return this.#number(text, this.#numbers, this.style);
    const { means, how } = this.#meaning(text);
    return means === undefined ? text : how === "same" ? text : (means ?? "");
  }

  #number(text: string, place: NumberPlace, style: NumberStyle): string {
    const number = plainNumber(text, style.mark, place);
    if (number === null) {
      if (this.#said.has(text) || isMissingWord(text)) {
        if (text !== "") this.#count(text, () => ({ means: null, how: "missing", count: 0 }));
        return "";
      }
      if (plainNumber(text, style.mark === "point" ? "comma" : "point", place) !== null)
        style.againstMark += 1;
      return text;
    }
    const note = (change: NumberChange) => {
      if (!style.examples.has(change)) style.examples.set(change, { written: text, read: number.text });
    };
    if (number.percent) note("percent");
    if (number.dressed) note("units");
    if (number.grouped) note("groups");
    // Whole numbers tell nothing, and most cells of pictures are whole.
    if (number.text.length > 1 && tellsMark(text, style.mark)) style.forMark += 1;
    if (style.mark === "comma" && text.includes(",")) note("decimal-commas");
    return number.text;
  }

  #meaning(text: string): Meaning {
    return this.#count(text, () => this.#understand(text));
  }

  #count(text: string, understand: () => Meaning): Meaning {
    const known = this.#words.get(text);
    const meaning = known ?? understand();
    meaning.count += 1;
    if (known === undefined && this.#words.size < WORDS_MAX) this.#words.set(text, meaning);
    return meaning;
  }

  #understand(text: string): Meaning {
    const said = this.#said.get(text);
    if (said !== undefined) return { means: said, how: "chosen", count: 0 };
    const match = matchWord(text, this.#categories);
    if (match !== null) return { ...match, count: 0 };
    if (isMissingWord(text)) return { means: null, how: "missing", count: 0 };
    const { column } = this.match;
    const takesNothing =
      column.type === "categorical" && column.missing !== undefined && column.other === undefined;
    return { means: takesNothing ? null : undefined, how: "unknown", count: 0 };
  }

  /** Words that are not the task's own, the most frequent first. */
  words(): ReadWord[] {
    return [...this.#words]
      .filter(([word, { how }]) => how !== "same" && word !== "")
      .map(([word, { means, how, count }]) => ({ word, means, how, count }))
      .sort((left, right) => right.count - left.count);
  }
}

/** True if only one decimal mark reads it. */
function tellsMark(text: string, mark: DecimalMark): boolean {
  const own = mark === "point" ? "." : ",";
  return text.includes(own) && !/^[+-]?[1-9]\d{0,2}[.,]\d{3}$/.test(text);
}
