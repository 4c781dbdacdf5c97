import { type DecimalMark, type NumberPlace, plainNumber } from "../data/match/numbers.ts";
import { titleOf } from "./header-words.ts";
import { NumberTally } from "./number-tally.ts";
import { type NumberReading, readNumber } from "./number-text.ts";
import type { Extremes } from "./range.ts";

/** Numbers of a column of the sample, read as devices read theirs (F6). */
export interface NumbersProfile {
  /** Cells that are numbers if decimals are marked by `mark`. */
  readonly count: number;
  readonly mark: DecimalMark;
  /** Of these, written with a decimal comma. */
  readonly withComma: number;
  /** Of these, written with a per cent sign. */
  readonly percents: number;
  /** Null if there are none. */
  readonly extremes: Extremes | null;
  /**
   * Some of the numbers, in the order of the file: all of them up to 1,024 (fewer in a wide table), else every 2^k-th. A quantile of `spread`
   * is off by at most 5.7 points in 99 of 100 columns whose order carries no period.
   */
  readonly spread: Float64Array;
  /** Extremes with the other mark, if nothing in the column tells which is right; null if something does. */
  readonly otherExtremes: Extremes | null;
  /** Some number of the column has a comma. */
  readonly hasComma: boolean;
}

/** 1.234 and 1,234: a decimal, or a group of thousands. */
const TWO_WAYS = /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/;
const TWO_WAYS_LENGTH_MAX = 8;
/** Characters that a dressed number begins with: a currency, a sign or a digit. */
const MAY_BEGIN_NUMBER = /^[+\-\u2212.,\d$€£¥₹ucegijr]/i;
const DRESSED_LENGTH_MAX = 40;
/** Digits and what may part them. */
const GROUPS = /^[+\-\u2212]?[\d.,'’\s]+$/;

/**
 * Takes the cells of one column and reads each number both ways, with a decimal point and with a decimal comma, because
 * only the whole column tells which is meant. Plain numbers are read by hand; only others cost a regular expression.
 */
export class ColumnNumbers {
  readonly #place: NumberPlace;
  readonly #reading: NumberReading = { value: 0, form: "none" };
  readonly #point: NumberTally;
  /** Null as long as all cells read the same in both ways. */
  #comma: NumberTally | null = null;
  #pointOnly = 0;
  #commaOnly = 0;
  #twoWays = 0;
  #commaCells = 0;
  #percents = 0;

  /** @param keptMax  Numbers that are kept to draw the column; even. */
  constructor(name: string, keptMax: number) {
    this.#point = new NumberTally(keptMax);
    const { unit } = titleOf(name);
    const range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    this.#place = unit === "" ? { range } : { range, unit };
  }

  /** False if the text is a number in neither way. */
  add(text: string): boolean {
    readNumber(text, this.#reading);
    const { form, value } = this.#reading;
    if (form === "none") return this.#addDressed(text);
    if (form === "whole" || (form === "decimal" && !text.includes("."))) {
      this.#take(value, value);
      return true;
    }
    // In the other way of reading, a plain number can only be a group of thousands.
    const mark = text.charCodeAt(text.length - 4);
    const isTwoWays =
      (mark === 44 || mark === 46) && text.length <= TWO_WAYS_LENGTH_MAX && TWO_WAYS.test(text);
    const other = isTwoWays ? Math.round(1_000 * value) : Number.NaN;
    if (isTwoWays) this.#twoWays += 1;
    if (form === "comma") {
      this.#commaCells += 1;
      this.#take(other, value);
    } else {
      this.#take(value, other);
    }
    return true;
  }

  /** A number with groups, a currency, a unit or a per cent sign. */
  #addDressed(text: string): boolean {
    if (text.length > DRESSED_LENGTH_MAX || !MAY_BEGIN_NUMBER.test(text)) return false;
    const isBare = /\d$/.test(text) && /^[+\-\u2212\d]/.test(text);
    // Most of what is left are dates, codes and words; reading one as a number costs more than all the rest.
    if (isBare ? !GROUPS.test(text) : !/\d/.test(text)) return false;
    const [point, comma] = [this.#valueOf(text, "point"), this.#valueOf(text, "comma")];
    if (Number.isNaN(point) && Number.isNaN(comma)) return false;
    if (text.endsWith("%")) this.#percents += 1;
    if (!Number.isNaN(comma) && text.includes(",")) this.#commaCells += 1;
    this.#take(point, comma);
    return true;
  }

  /** What most of the numbers say about the mark; null if they say nothing. */
  get markSeen(): DecimalMark | null {
    if (this.#pointOnly === this.#commaOnly) return null;
    return this.#pointOnly > this.#commaOnly ? "point" : "comma";
  }

  /** @param mostlyComma  The other columns of the file have decimal commas. */
  profile(mostlyComma: boolean): NumbersProfile {
    const isOpen = this.markSeen === null && this.#twoWays > 0;
    const mark = this.markSeen ?? (isOpen && mostlyComma ? "comma" : "point");
    const [point, comma] = [this.#point, this.#comma ?? this.#point];
    const [chosen, other] = mark === "point" ? [point, comma] : [comma, point];
    return {
      count: chosen.count,
      mark,
      withComma: mark === "comma" ? this.#commaCells : 0,
      percents: this.#percents,
      extremes: chosen.extremes(),
      spread: chosen.spread(),
      otherExtremes: isOpen ? other.extremes() : null,
      hasComma: this.#commaCells > 0,
    };
  }

  /** NaN if it is no number when decimals are marked so. */
  #valueOf(text: string, mark: DecimalMark): number {
    const value = Number(plainNumber(text, mark, this.#place)?.text ?? Number.NaN);
    return Number.isFinite(value) ? value : Number.NaN;
  }

  /** Counts a number as each mark reads it; NaN where it is none. */
  #take(point: number, comma: number): void {
    if (point !== comma) this.#comma ??= this.#point.copy();
    const [isPoint, isComma] = [!Number.isNaN(point), !Number.isNaN(comma)];
    if (isPoint) this.#point.add(point);
    if (isComma) this.#comma?.add(comma);
    if (isPoint && !isComma) this.#pointOnly += 1;
    if (isComma && !isPoint) this.#commaOnly += 1;
  }
}
