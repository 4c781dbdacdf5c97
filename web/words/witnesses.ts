import type { LogView } from "#shared/protocol/log-api.ts";
import { formatAgo, plural } from "./format.ts";

export { demandSentence, demandWords, witnessName } from "#shared/model/witness-words.ts";

export const WITNESS_RULE =
  "Devices take part only under a log that so many of them have signed, also on their first visit. A round waits while too few answer.";
export const NO_WITNESS_RULE =
  "No device asks for a witness, so on its first visit it believes the log that the coordinator shows it.";

type State = LogView["witnessStates"][number];

/** "w1.example signed all 1,240 entries, 3 min ago." What the coordinator says of each witness. @param nowMs  Unix milliseconds. */
export function witnessSentence({ name, signed, trouble }: State, size: number, nowMs: number): string {
  const when = signed === null ? "" : formatAgo(new Date(1_000 * signed.timeS).toISOString(), nowMs);
  const done =
    signed === null
      ? "has signed nothing yet"
      : signed.size >= size
        ? `signed all ${plural(signed.size, "entry", "entries")}, ${when}`
        : `signed the first ${plural(signed.size, "entry", "entries")}, ${when}`;
  return `${name} ${done}${trouble === null ? "" : `; ${TROUBLES[trouble]}`}.`;
}

const TROUBLES: Readonly<Record<NonNullable<State["trouble"]>, string>> = {
  "no-answer": "it does not answer now",
  "unknown-log": "it does not follow this log, or has not got its key",
  "other-history": "it has signed another history of this log: find out which one is true",
};
