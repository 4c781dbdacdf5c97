import type { DraftMend } from "./mend.ts";

/** Parts of the workshop, as they are numbered on the page. */
export type DraftPart = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Something that keeps a draft from being a task. */
export interface DraftProblem {
  readonly part: DraftPart;
  /** The input that it is about: a name of DraftRules or DraftAbout, `column.N.FIELD` for the Nth column, or `model`. */
  readonly field: string;
  /** What is wrong, and what would work. */
  readonly sentence: string;
  /** True if nothing was given yet. A page says so only once someone has tried to publish. */
  readonly isMissing: boolean;
  /** What would work, ready to be done; the nearest first. */
  readonly mends?: readonly DraftMend[];
}
