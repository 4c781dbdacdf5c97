/* Words inside a column of categories: which category a word of the file means. */

/** How a word was understood: as it stands, with other capitals or blanks, as another word for the same, or by the person. */
export type WordMatch = { readonly means: string; readonly how: "same" | "spelling" | "synonym" | "chosen" };

/** What programs write for nothing, in lower case. Sources: the defaults of pandas, R, SPSS, Excel and MySQL. */
const MISSING: ReadonlySet<string> = new Set([
  "",
  "na",
  "n/a",
  "#n/a",
  "#na",
  "<na>",
  "n.a.",
  "nan",
  "-nan",
  "null",
  "#null!",
  "none",
  "nil",
  "nat",
  "\\n",
  "k.a.",
  "?",
  "-",
  "--",
  "–",
  "—",
  ".",
  "#value!",
  "#div/0!",
  "#ref!",
  "missing",
  "(blank)",
]);

/** True for words that programs write if there is no value. */
export function isMissingWord(text: string): boolean {
  return text.length <= 8 && MISSING.has(text.toLowerCase());
}

/** The ways of writing them that programs use. A graph has no lower case, so it looks a word up among these. */
export function missingWords(): readonly string[] {
  const ways = (word: string) => [word, word.toUpperCase(), word.charAt(0).toUpperCase() + word.slice(1)];
  return [...new Set([...[...MISSING].flatMap(ways), "NaN", "#N/a"])];
}

type Side = readonly string[];
/** Words for the two sides of a question. A pair counts for a column that has exactly one category on each side. */
const PAIRS: readonly (readonly [Side, Side])[] = [
  [
    ["yes", "y", "true", "t", "1", "ja", "oui", "sí", "si", "sim", "positive", "pos"],
    ["no", "n", "false", "f", "0", "nein", "non", "não", "negative", "neg"],
  ],
  [
    ["female", "f", "woman", "women", "w", "weiblich", "frau", "femme", "mujer"],
    ["male", "m", "man", "men", "männlich", "mann", "homme", "hombre"],
  ],
];

/** The category that a word means; null if nothing tells. Pure: the same word always means the same. */
export function matchWord(word: string, categories: readonly string[]): WordMatch | null {
  if (categories.includes(word)) return { means: word, how: "same" };
  const key = wordKey(word);
  const alike = categories.filter((category) => wordKey(category) === key);
  if (alike.length === 1) return { means: alike[0] as string, how: "spelling" };
  for (const pair of PAIRS) {
    const sides = pair.map((side) => categories.filter((category) => side.includes(wordKey(category))));
    // "f" is female or false, and 0 may code any category: only a column that has both sides tells.
    if (sides.some((side) => side.length !== 1)) continue;
    const at = pair.findIndex((side) => side.includes(key));
    const means = sides[at]?.[0];
    if (means !== undefined) return { means, how: "synonym" };
  }
  return null;
}

/** Equal for words that differ in capitals and blanks, and for numbers that are equal: 1, 1.0 and 1,0. */
export function wordKey(word: string): string {
  if (/^[+-]?\d+(?:[.,]\d+)?$/.test(word)) return String(Number(word.replace(",", ".")));
  return word
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s_-]+/g, "");
}
