import { type Statement, uncheckable, waiting } from "../statement.ts";
import type { Subject } from "../subject.ts";
import { counted, grouped } from "../words.ts";

/** That the log is the same for everyone. Witnesses can say so; one browser alone cannot. */
export function sameLog({ sight }: Subject): Statement {
  const { size, witnesses, witnessCount, seenSize, statedCount, contradiction } = sight;
  const statement = {
    id: "same-log" as const,
    says: "The log that says all this is the same for everyone.",
    entries: [],
  };
  if (contradiction !== null) return { ...statement, verdict: "contradicted", because: contradiction };
  const stated =
    statedCount === undefined
      ? ""
      : ` ${counted(statedCount, "device of this round signed", "devices of this round signed")} what they saw of it, and it goes on from each.`;
  const seen =
    seenSize === null
      ? "Nothing of this log was seen here before."
      : `${counted(seenSize, "entry was", "entries were")} seen here before, and they are unchanged.`;
  const before = seen + stated;
  if (witnessCount === 0)
    return {
      ...statement,
      ...waiting(`No witness signs this log, so others could be shown another one. ${before}`),
    };
  const signed = `${grouped(witnesses.length)} of ${counted(witnessCount, "witness", "witnesses")} signed ${counted(size, "entry", "entries")}.`;
  if (witnesses.length < witnessCount) return { ...statement, ...waiting(`${signed} ${before}`) };
  return { ...statement, verdict: "checked", because: `${signed} ${before}` };
}

/** What no log can show. */
export function trueData(): Statement {
  return {
    id: "true-data",
    says: "Every device trained on true data.",
    entries: [],
    ...uncheckable(
      "Masks hide bad data as well as good. Clipping limits what one device can do; the held-out test limits what they can do together.",
    ),
  };
}
