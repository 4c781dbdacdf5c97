import type { LogView } from "#shared/protocol/log-api.ts";
import type { Task } from "#shared/task/task.ts";
import { formatAgo, formatCount, plural } from "./format.ts";

type Demand = NonNullable<Task["logWitnesses"]>;

/** The name in NAME+KEYID+KEY. */
export function witnessName(key: string): string {
  return key.split("+")[0] ?? "";
}

/** "2 of w1.example, w2.example and w3.example" */
export function demandWords({ keys, needed }: Demand): string {
  const names = keys.map(witnessName);
  const last = names.at(-1) ?? "";
  const all = names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
  return needed === names.length ? all : `${formatCount(needed)} of ${all}`;
}

/** What it means to a participant. */
export function demandSentence(demand: Demand): string {
  return `This browser takes part only if the public log that it is shown is signed by ${demandWords(demand)}. Witnesses sign one history of the log, so that the coordinator cannot show you another one than others see. They learn nothing of you.`;
}

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
