import type { DecimalMark } from "../data/match/numbers.ts";
import { isMissingWord } from "../data/match/words-match.ts";
import { ColumnNumbers, type NumbersProfile } from "./column-numbers.ts";
import { type DistinctCount, DistinctValues, EXACT_VALUES_MAX } from "./distinct-values.ts";

/** What a column of the sample is made of. Counts are exact; `distinct` and `spread` say when they are not. */
export interface ColumnProfile {
  readonly name: string;
  /** Rows whose cell is empty or a word that programs write for nothing. */
  readonly missing: number;
  /** Rows with a value. */
  readonly present: number;
  readonly numbers: NumbersProfile;
  readonly distinct: DistinctCount;
  /** Rows whose value has the form. One value may have several. */
  readonly forms: {
    readonly mail: number;
    readonly date: number;
    /** Two to four words that begin with a capital, such as a person's name. */
    readonly name: number;
    /** Four words or more. */
    readonly sentence: number;
    /** Six digits or more, perhaps with separators or letters, such as the number of a person or a telephone. */
    readonly longNumber: number;
  };
  readonly charactersMean: number;
}

/** What the words that programs write for nothing begin with; asked first, because most cells are other words. */
const MAY_BE_MISSING = /^[nm#<?\-–—.(]/i;
const MAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const DATE =
  /^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4}))(?:[T ]\d{1,2}:\d{2}.*)?$/;
const NAME = /^\p{Lu}[\p{L}'’.-]*,?(?: (?:\p{Lu}|van |von |de |da |di |del |la )[\p{L}'’.-]*,?){1,3}$/u;
const LONG_NUMBER = /^[A-Za-z]{0,4}[- ]?\+?\(?\d(?:[ ()/.-]?\d){5,}[A-Za-z]{0,2}$/;

/** Takes the cells of one column one by one, in memory that does not grow with them. */
export class ColumnProfiler {
  readonly #name: string;
  readonly #distinct: DistinctValues;
  readonly #numbers: ColumnNumbers;
  #rows = 0;
  #missing = 0;
  #characters = 0;
  readonly #forms = { mail: 0, date: 0, name: 0, sentence: 0, longNumber: 0 };

  /** @param keptMax  Values and numbers that are kept; even. */
  constructor(name: string, keptMax = EXACT_VALUES_MAX) {
    this.#name = name;
    this.#numbers = new ColumnNumbers(name, keptMax);
    this.#distinct = new DistinctValues(keptMax);
  }

  add(cell: string): void {
    const text = trimmed(cell);
    this.#rows += 1;
    const { length } = text;
    if (length === 0) {
      this.#missing += 1;
      return;
    }
    if (this.#numbers.add(text)) {
      if (length >= 6 && LONG_NUMBER.test(text)) this.#forms.longNumber += 1;
    } else if (MAY_BE_MISSING.test(text) && isMissingWord(text)) {
      this.#missing += 1;
      return;
    } else {
      this.#addText(text);
    }
    this.#characters += length;
    this.#distinct.add(text);
  }

  /** How most of its numbers mark decimals; null if they do not tell. */
  get markSeen(): DecimalMark | null {
    return this.#numbers.markSeen;
  }

  /** @param mostlyComma  The other columns of the file have decimal commas. */
  profile(mostlyComma: boolean): ColumnProfile {
    const present = this.#rows - this.#missing;
    return {
      name: this.#name,
      missing: this.#missing,
      present,
      numbers: this.#numbers.profile(mostlyComma),
      distinct: this.#distinct.count(),
      forms: { ...this.#forms },
      charactersMean: present === 0 ? 0 : this.#characters / present,
    };
  }

  #addText(text: string): void {
    const forms = this.#forms;
    let spaces = 0;
    let digits = 0;
    let at = 0;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 32) spaces += 1;
      else if (code >= 48 && code <= 57) digits += 1;
    }
    if (digits >= 6 && LONG_NUMBER.test(text)) forms.longNumber += 1;
    if (digits >= 4 && DATE.test(text)) forms.date += 1;
    if (spaces === 0) {
      if (text.includes("@") && MAIL.test(text)) forms.mail += 1;
      return;
    }
    if (spaces >= 3) forms.sentence += 1;
    if (spaces <= 3 && text.length <= 60 && digits === 0 && NAME.test(text)) forms.name += 1;
  }
}

/** `trim` copies the text even if there is nothing to trim. */
function trimmed(text: string): string {
  const { length } = text;
  if (length === 0 || (text.charCodeAt(0) > 32 && text.charCodeAt(length - 1) > 32)) return text;
  return text.trim();
}
