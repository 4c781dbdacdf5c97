/* What a screen reader says about the drawing pad. */

/** What a key did to the keyboard's pen. */
export type PenDeed = "lifted" | "put down" | "moved" | "drawn";

const DEED_WORDS: Record<PenDeed, string> = {
  lifted: "Pen up,",
  "put down": "Pen down,",
  moved: "Moved to",
  drawn: "Drawn to",
};

/** "Pen up, column 10, row 9." @param place  Counted from 0; people count from 1. */
export function penSentence(deed: PenDeed, place: { readonly column: number; readonly row: number }): string {
  return `${DEED_WORDS[deed]} column ${place.column + 1}, row ${place.row + 1}.`;
}

/** @param lineCount  Lines on the pad before the last one was taken back. */
export function undoneSentence(lineCount: number): string {
  return lineCount === 0 ? "Nothing to undo." : "Last line removed.";
}
