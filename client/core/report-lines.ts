import type { ImportReport } from "#shared/data/report.ts";

/** Rows that are named one by one after the reasons. */
const PROBLEMS_SHOWN = 10;

/** What became of the rows of a file, line by line, for whoever started an edge. */
export function reportLines({
  rowsRead,
  rowsTaken,
  rowsLeftOut,
  reasons,
  problems,
  notes,
}: ImportReport): string[] {
  return [
    `${rowsRead} rows read, ${rowsTaken} taken, ${rowsLeftOut} left out.`,
    ...notes.map(({ sentence }) => sentence),
    ...reasons.map(({ sentence, count }) => `${count} left out: ${sentence}.`),
    ...problems.slice(0, PROBLEMS_SHOWN).map(({ sentence }) => sentence),
  ];
}
