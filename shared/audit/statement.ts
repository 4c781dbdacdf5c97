/** What a check says of a statement. */
export const VERDICTS = ["checked", "waiting", "uncheckable", "contradicted"] as const;
export type Verdict = (typeof VERDICTS)[number];

export const STATEMENT_IDS = [
  "launched",
  "opened",
  "cohort",
  "inputs",
  "signed",
  "sum",
  "given-up",
  "version",
  "same-log",
  "true-data",
] as const;
export type StatementId = (typeof STATEMENT_IDS)[number];

/** One sentence about a round, and what a check said of it. Rule A60. */
export interface Statement {
  readonly id: StatementId;
  readonly says: string;
  readonly verdict: Verdict;
  /** What was checked; for whom it waits; why nobody can; or what contradicts it. */
  readonly because: string;
  /** Indexes of the entries that prove it, the most telling one first. */
  readonly entries: readonly number[];
}

/** A check and the sentence for the case that it fails. */
export type Check = readonly [holds: boolean, otherwise: string];

type Judged = Pick<Statement, "verdict" | "because">;

/** Checked if all hold, in the words of `checked`; contradicted by the first that does not. */
export function judge(checks: readonly Check[], checked: string): Judged {
  const failed = checks.find(([holds]) => !holds);
  return failed === undefined
    ? { verdict: "checked", because: checked }
    : { verdict: "contradicted", because: failed[1] };
}

export const waiting = (because: string): Judged => ({ verdict: "waiting", because });
export const uncheckable = (because: string): Judged => ({ verdict: "uncheckable", because });
