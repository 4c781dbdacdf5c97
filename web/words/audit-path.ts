import { countInWords, formatCount, plural } from "./format.ts";

/* Words of the picture that shows why an entry is in the log. */

/** "entry 4,161", "entries 4,162 to 4,163". `to` is the entry after the last. */
export function entriesRange(from: number, to: number): string {
  return to - from === 1
    ? `entry ${formatCount(from)}`
    : `entries ${formatCount(from)} to ${formatCount(to - 1)}`;
}

export function formatEntries(count: number): string {
  return plural(count, "entry", "entries");
}

export const pathTitle = (index: number): string => `Why entry ${formatCount(index)} is in the log`;

/** @param steps  Fingerprints on its path. */
export function pathSentence(steps: number, size: number): string {
  if (steps === 0) return "It is the only entry, so its fingerprint is the root of the log.";
  return `Its fingerprint is joined with ${steps === 1 ? "one other" : `${countInWords(steps)} others, step by step`}, until one stands for all ${formatCount(size)} entries. Had a single letter been changed, the last would differ.`;
}

/** For those who cannot see the picture. */
export function pathLabel(index: number, steps: number, size: number): string {
  return `The path of entry ${formatCount(index)}: joined with ${plural(steps, "other fingerprint")} to the root of ${formatEntries(size)}.`;
}
