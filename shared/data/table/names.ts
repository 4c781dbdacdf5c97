/* Names of columns and words in cells as people vary them: capitals, spaces, underscores, units in parentheses. */

/** A unit or a remark in parentheses or brackets at the end of a name. */
const REMARK = /\s*[([{]([^)\]}]*)[)\]}]\s*$/;

/** "kg" of "weight (kg)"; null if nothing is in parentheses. */
export function remarkOf(name: string): string | null {
  const text = REMARK.exec(name)?.[1]?.trim() ?? "";
  return text === "" ? null : text;
}

/**
 * Equal for names that differ in capitals, accents' encoding, blanks, underscores, dashes or dots only: `LoanAmount`,
 * `loan_amount` and `Loan amount` are one. What is in parentheses or brackets at the end is a unit or a remark and does
 * not count.
 */
export function nameKey(name: string): string {
  if (/^[a-z0-9]+$/.test(name)) return name;
  const bare = name
    .normalize("NFKC")
    .replace(/^\ufeff/, "")
    .trim();
  const withoutUnit = bare.replace(REMARK, "");
  const letters = (withoutUnit === "" ? bare : withoutUnit).toLowerCase().replace(/[^\p{L}\p{N}%#+]+/gu, "");
  return letters === "" ? bare.toLowerCase() : letters;
}

/** The words of a name, lower case: `HbA1c_newest (%)` has hba1c and newest, `loanAmount` loan and amount. */
export function nameWords(name: string): string[] {
  return name
    .normalize("NFKC")
    .replace(REMARK, "")
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

const FILLERS: ReadonlySet<string> = new Set([
  "the",
  "of",
  "in",
  "a",
  "an",
  "at",
  "to",
  "is",
  "per",
  "this",
  "and",
  "for",
]);

/**
 * How alike two names are, 0 to 1: the share of the shorter one's words that begin a word of the other, or are begun by
 * one: `Adm. type` and `admission type` are alike.
 */
export function likeness(left: string, right: string): number {
  const [short, long] = [left, right]
    .map((name) => nameWords(name).filter((word) => !FILLERS.has(word)))
    .sort((one, other) => one.length - other.length) as [string[], string[]];
  if (short.length === 0) return 0;
  const unused = [...long];
  let found = 0;
  for (const word of short) {
    const at = unused.findIndex((other) => alike(word, other));
    if (at < 0) continue;
    unused.splice(at, 1);
    found += 1;
  }
  // Words that only one of the two has count half.
  return found / (short.length + (long.length - short.length) / 2);
}

function alike(left: string, right: string): boolean {
  if (left === right) return true;
  const shorter = Math.min(left.length, right.length);
  if (shorter < 3) return false;
  if (left.startsWith(right) || right.startsWith(left)) return true;
  // "smoker" and "smoking" share a stem.
  let same = 0;
  while (same < shorter && left[same] === right[same]) same += 1;
  return same >= 4 && same >= shorter - 2;
}
