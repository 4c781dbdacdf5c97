/** What a cell is if it is read as a number. `comma` is a number with a decimal comma, such as 6,5. */
export type NumberForm = "none" | "whole" | "decimal" | "comma";

/** The number that `readNumber` found last, and its form. One object for all calls, because cells are read by the million. */
export interface NumberReading {
  value: number;
  form: NumberForm;
}

const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
/** Up to so many digits a mantissa is an exact double, and one division rounds correctly. */
const EXACT_DIGITS_MAX = 15;

/**
 * Reads a decimal number with a point or a comma, an optional sign and an optional exponent; thousands are not separated.
 * Digits are read by hand, because `Number` also takes "", "0x1f" and "Infinity", and a regular expression before it would
 * cost as much as the rest of a profile.
 *
 * @param text     Trimmed.
 * @param reading  Filled; `value` is meaningless with the form "none".
 */
export function readNumber(text: string, reading: NumberReading): void {
  const { length } = text;
  reading.form = "none";
  let at = 0;
  const first = text.charCodeAt(0);
  const isNegative = first === 45;
  if (isNegative || first === 43) at = 1;
  let mantissa = 0;
  let digitCount = 0;
  let decimals = -1;
  let isComma = false;
  for (; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) {
      mantissa = mantissa * 10 + (code - 48);
      digitCount += 1;
      if (decimals >= 0) decimals += 1;
    } else if ((code === 46 || code === 44) && decimals < 0) {
      decimals = 0;
      isComma = code === 44;
    } else if ((code === 101 || code === 69) && digitCount > 0) {
      break;
    } else {
      return;
    }
  }
  if (digitCount === 0) return;
  const isExact = at === length && digitCount <= EXACT_DIGITS_MAX;
  if (isExact) {
    const size = decimals <= 0 ? mantissa : mantissa / (POWERS[decimals] as number);
    reading.value = isNegative ? -size : size;
  } else {
    if (at < length && !/^[eE][+-]?\d+$/.test(text.slice(at))) return;
    reading.value = Number(isComma ? text.replace(",", ".") : text);
    if (!Number.isFinite(reading.value)) return;
  }
  reading.form = isComma ? "comma" : decimals < 0 && at === length ? "whole" : "decimal";
}
