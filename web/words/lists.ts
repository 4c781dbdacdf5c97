import { formatCount } from "./format.ts";

/** How much of a list is shown: "12 of 40", or "50 of more than 50" if the rest is not counted yet. */
export function shownWords(shown: number, known: number, hasOlder: boolean): string {
  return `${formatCount(shown)} of ${hasOlder ? "more than " : ""}${formatCount(known)}`;
}
