import { takesPercent, withoutCurrency } from "./units.ts";

/*
 * Numbers as people write them, as the decimal text that `encodeRow` reads.
 *
 * | written                     | becomes                                                     |
 * | --------------------------- | ----------------------------------------------------------- |
 * | 6,5 (decimal comma)         | 6.5                                                         |
 * | 1.234,5 / 1 234,5 / 1'234.5 | 1234.5: groups of three, parted by what is not the decimal  |
 * | 5,20,000                    | 520000: India's groups                                      |
 * | 12 %                        | 12, or 0.12 if the task's range ends at 1 or below          |
 * | $ 1,200 / 12 kg / 30 EUR    | 1200, 12, 30: the column's own unit, or its currency        |
 * | −3 (U+2212)                 | -3                                                          |
 *
 * "1,234" and "1.234" can be read in two ways. A column is read in one, by its other numbers and the task's range.
 */

export type DecimalMark = "point" | "comma";

/** What a column's numbers must fit. */
export interface NumberPlace {
  readonly range: readonly [number, number];
  readonly unit?: string | undefined;
}

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const COMMA = /^[+-]?(?:\d+,?\d*|,\d+)(?:e[+-]?\d+)?$/i;
const GROUPED: Readonly<Record<DecimalMark, RegExp>> = {
  // Also India's groups: 5,20,000.
  point:
    /^[+-]?(?:[1-9]\d{0,2}([, ’'\u00a0\u2009\u202f])\d{3}(?:\1\d{3})*|[1-9]\d?(?:,\d{2})+,\d{3})(?:\.\d*)?$/,
  comma: /^[+-]?[1-9]\d{0,2}(?:([. ’'\u00a0\u2009\u202f])\d{3})(?:\1\d{3})*(?:,\d*)?$/,
};
const TWO_WAYS = /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/;

export interface PlainNumber {
  /** Digits with a decimal point, for `encodeRow`. */
  readonly text: string;
  readonly percent: boolean;
  /** A currency or the unit stood beside it. */
  readonly dressed: boolean;
  readonly grouped: boolean;
}

/** Null if it is no number when its decimals are marked so, or one in another currency or unit than the column's. */
export function plainNumber(text: string, mark: DecimalMark, place: NumberPlace): PlainNumber | null {
  if (mark === "point" && PLAIN.test(text)) return { text, percent: false, dressed: false, grouped: false };
  const bare = undressed(text.replace("\u2212", "-"), place.unit);
  if (bare === null) return null;
  const grouped = GROUPED[mark].test(bare.text);
  const straight = grouped ? withoutGroups(bare.text, mark) : bare.text;
  const digits = mark === "comma" ? (COMMA.test(straight) ? straight.replace(",", ".") : "") : straight;
  if (!PLAIN.test(digits)) return null;
  const hundredths = bare.percent && place.range[1] <= 1;
  return {
    text: hundredths ? String(Number((Number(digits) / 100).toPrecision(15))) : digits,
    percent: bare.percent,
    dressed: bare.dressed,
    grouped,
  };
}

/** What stands beside a number, taken off; null if the column's numbers cannot have it. */
function undressed(
  text: string,
  unit: string | undefined,
): { readonly text: string; readonly percent: boolean; readonly dressed: boolean } | null {
  if (/[\d.,]$/.test(text) && /^[+\-.,\d]/.test(text)) return { text, percent: false, dressed: false };
  const percent = /\s*%$/.test(text);
  if (percent && !takesPercent(unit)) return null;
  let bare = percent ? text.replace(/\s*%$/, "") : text;
  const whole = bare;
  if (unit !== undefined && unit !== "" && bare.toLowerCase().endsWith(unit.toLowerCase()))
    bare = bare.slice(0, -unit.length).trim();
  const digits = withoutCurrency(bare, unit);
  return digits === null ? null : { text: digits, percent, dressed: digits !== whole };
}

function withoutGroups(text: string, mark: DecimalMark): string {
  return text.replace(mark === "point" ? /[, ’'\u00a0\u2009\u202f]/g : /[. ’'\u00a0\u2009\u202f]/g, "");
}

/** Counts how a column's numbers are written. */
export class DecimalEvidence {
  readonly #place: NumberPlace;
  #pointOnly = 0;
  #commaOnly = 0;
  /** Of numbers that can be read in two ways: in range when read so. */
  #twoWays = 0;
  #twoWaysComma = 0;
  readonly #fits = { point: 0, comma: 0 };

  constructor(place: NumberPlace) {
    this.#place = place;
  }

  see(text: string): void {
    if (!/[.,]/.test(text)) return;
    const [asPoint, asComma] = [
      plainNumber(text, "point", this.#place),
      plainNumber(text, "comma", this.#place),
    ];
    if (asPoint !== null && asComma === null) this.#pointOnly += 1;
    else if (asComma !== null && asPoint === null) this.#commaOnly += 1;
    else if (asPoint !== null && asComma !== null && TWO_WAYS.test(text)) {
      this.#twoWays += 1;
      if (text.includes(",")) this.#twoWaysComma += 1;
      if (this.#isInRange(asPoint)) this.#fits.point += 1;
      if (this.#isInRange(asComma)) this.#fits.comma += 1;
    }
  }

  #isInRange({ text }: PlainNumber): boolean {
    const value = Number(text);
    return value >= this.#place.range[0] && value <= this.#place.range[1];
  }

  /** How most of the numbers are written; null if none tells, and both readings fit equally well. */
  get mark(): DecimalMark | null {
    const point = this.#pointOnly + this.#fits.point;
    const comma = this.#commaOnly + this.#fits.comma;
    if (this.#pointOnly !== this.#commaOnly) return this.#pointOnly > this.#commaOnly ? "point" : "comma";
    if (point === comma) return null;
    return point > comma ? "point" : "comma";
  }

  /** Numbers that can be read in two ways, and nothing that tells which. */
  get isOpen(): boolean {
    return this.#twoWays > 0 && this.mark === null;
  }

  /** For a column that does not tell: a point is the decimal mark unless all that can be read twice have commas. */
  get usual(): DecimalMark {
    return this.#twoWaysComma > 0 ? "comma" : "point";
  }
}
