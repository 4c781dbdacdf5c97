/** The thirty kinds of bad input of the threat model. Every endpoint and every socket message meets each of them. */
export const KINDS = {
  1: "an empty body, or one of another form",
  2: "a wrong content type",
  3: "more than the limit",
  4: "a length that lies, or a body that is cut",
  5: "a compressed body",
  6: "nesting 100,000 deep",
  7: "a key twice",
  8: "names that reach a prototype, or that nobody asked for",
  9: "NaN, Infinity, 1e400",
  10: "2^53 + 1, negative and fractional ids",
  11: "NUL, half a character, a string of 1 MB",
  12: "SQL and LIKE characters",
  13: "paths that climb",
  14: "CR LF",
  15: "HTML and SVG in a name",
  16: "a formula of a spreadsheet",
  17: "another's or an unknown id",
  18: "a principal without the permission",
  19: "a foreign, expired or made-up token",
  20: "a replayed nonce",
  21: "the same contribution twice",
  22: "the same key with another body",
  23: "a wrong phase, a closed round",
  24: "another's signature",
  25: "keys of small order, signatures of another form",
  26: "a vector of the wrong length",
  27: "numbers outside their field",
  28: "lists and shares that do not fit",
  29: "what is no event",
  30: "headers that only a proxy may set",
} as const;

export type Kind = keyof typeof KINDS;

export const KIND_NUMBERS = Object.keys(KINDS).map(Number) as readonly Kind[];

/** What one kind means for one endpoint: cases to send, or the reason why there are none. */
export type Cell<Case> = { readonly cases: readonly Case[] } | { readonly reason: string };
export type Row<Case> = Readonly<Record<Kind, Cell<Case>>>;

/** The cases, or the reason if there are none. */
export function cell<Case>(cases: readonly Case[], reason: string): Cell<Case> {
  return cases.length > 0 ? { cases } : { reason };
}

/**
 * - `refused`: a typed refusal, whatever else.
 * - `harmless`: a typed refusal, or an answer in which the input is nothing but data.
 */
export type Expectation = "refused" | "harmless";
