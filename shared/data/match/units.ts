/* Units as people write them: in a header's parentheses, beside a number, in a task. */

const SAME_UNITS: readonly (readonly string[])[] = [
  ["year", "years", "yr", "yrs", "y"],
  ["month", "months", "mo", "mos"],
  ["week", "weeks", "wk", "wks"],
  ["day", "days", "d"],
  ["hour", "hours", "hr", "hrs", "h"],
  ["minute", "minutes", "min", "mins"],
  ["second", "seconds", "sec", "secs", "s"],
  ["kg", "kgs", "kilogram", "kilograms"],
  ["g", "gram", "grams"],
  ["lb", "lbs"],
  ["m", "meter", "meters", "metre", "metres"],
  ["cm", "centimeter", "centimeters", "centimetre", "centimetres"],
  ["mm", "millimeter", "millimeters", "millimetre", "millimetres"],
  ["km", "kilometer", "kilometers", "kilometre", "kilometres"],
  ["%", "percent", "pct"],
  ["$", "usd", "dollar", "dollars"],
  ["€", "eur", "euro", "euros"],
  ["thousand", "thousands", "k"],
  ["/", "per", "a", "an"],
];
const UNIT_WORDS: ReadonlyMap<string, string> = new Map(
  SAME_UNITS.flatMap((words) => words.map((word) => [word, words[0] as string] as const)),
);

/** Its words and signs, lower case: "US$ per hour" has us, $, per and hour. */
function partsOf(unit: string): string[] {
  return (
    unit
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+|[%/\p{Sc}]/gu) ?? []
  );
}

/** True for two ways to write one unit: "yrs" and "in years", "$/h" and "dollars an hour". */
export function isSameUnit(left: string, right: string): boolean {
  const key = (unit: string) =>
    partsOf(unit)
      .filter((part) => part !== "in")
      .map((part) => UNIT_WORDS.get(part) ?? part)
      .join(" ");
  return key(left) === key(right);
}

const DOLLARS = ["$", "usd", "dollar", "dollars"];
const EUROS = ["€", "eur", "euro", "euros"];
const POUNDS = ["£", "gbp", "sterling", "pound", "pounds"];
const YEN = ["¥", "jpy", "yen"];
const RUPEES = ["₹", "inr", "rs", "rupee", "rupees"];
/** What may stand beside a number, and the words of a unit that it can mean. */
const CURRENCIES: ReadonlyMap<string, readonly string[]> = new Map([
  ["$", [...DOLLARS, "cad", "aud", "nzd", "sgd", "hkd"]],
  ["us$", DOLLARS],
  ["usd", DOLLARS],
  ["€", EUROS],
  ["eur", EUROS],
  ["£", POUNDS],
  ["gbp", POUNDS],
  ["chf", ["chf", "franc", "francs", "franken"]],
  ["¥", [...YEN, "cny", "rmb", "yuan"]],
  ["jpy", YEN],
  ["₹", RUPEES],
  ["rs", RUPEES],
]);
const CURRENCY = /^(US\$|USD|EUR|GBP|CHF|JPY|Rs|[$€£¥₹])\.?\s*|\s*(US\$|USD|EUR|GBP|CHF|JPY|[$€£¥₹])$/i;
const PERCENT = ["%", "percent", "pct", "share", "fraction", "proportion", "ratio", "rate"];

/**
 * A number without its currency.
 *
 * @param unit  Of its column; undefined or empty if the task names none, which takes any currency.
 * @returns Null if the column is in something else.
 */
export function withoutCurrency(text: string, unit: string | undefined): string | null {
  const found = CURRENCY.exec(text);
  if (found === null) return text;
  const sign = (found[1] ?? found[2] ?? "").toLowerCase();
  return names(unit, CURRENCIES.get(sign) ?? []) ? text.replace(CURRENCY, "").trim() : null;
}

/** True if a number of the column may have a percent sign. */
export function takesPercent(unit: string | undefined): boolean {
  return names(unit, PERCENT);
}

/** True if the unit has one of the words, or if there is no unit. */
function names(unit: string | undefined, words: readonly string[]): boolean {
  return unit === undefined || unit === "" || partsOf(unit).some((part) => words.includes(part));
}
