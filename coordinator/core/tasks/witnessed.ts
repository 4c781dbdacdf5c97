import type { Task } from "#shared/task/task.ts";
import { formatVerifierKey } from "#shared/tlog/note.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { WitnessDemand } from "../ports/public-log.ts";
import type { WitnessState, WitnessTrouble } from "../ports/witnesses.ts";

/**
 * Why no device could take part in this task, because its witnesses do not sign this coordinator's log; null if enough of them
 * do. Rules A44, A94.
 */
export function unwitnessedLog(
  { publicLog }: Pick<CoordinatorPorts, "publicLog">,
  { slug, logWitnesses }: Pick<Task, "slug" | "logWitnesses">,
): string | null {
  if (logWitnesses === undefined) return null;
  if (publicLog == null)
    return `Task ${slug} asks for witnesses of the public log, and this coordinator keeps none. Nothing was launched.`;
  const states = publicLog.witnesses();
  const asked = demandedOf(states, logWitnesses);
  const { needed } = logWitnesses;
  const asks = `Task ${slug} asks for the signatures of ${needed} of its witnesses under the public log`;
  if (asked.length < needed) {
    const known = new Set(asked.map(({ key }) => formatVerifierKey(key)));
    const missing = [...new Set(logWitnesses.keys)].filter((key) => !known.has(key));
    return `${asks}, and this coordinator asks ${asked.length} of them, not ${missing.join(", ")}. Start it with --witness NAME+KEYID+KEY@URL for each, or publish a version of the task that asks for others. Nothing was launched.`;
  }
  if (asked.filter(({ trouble }) => trouble === null).length >= needed) return null;
  return `${asks}. ${answeringWords(states, logWitnesses)} Nothing was launched. Launch again once enough of them sign.`;
}

/** "w1.example signs. w2.example does not answer." */
export function answeringWords(states: readonly WitnessState[], demand: WitnessDemand): string {
  return demandedOf(states, demand)
    .map(({ key, trouble }) => `${key.name} ${trouble === null ? "signs" : TROUBLE_WORDS[trouble]}.`)
    .join(" ");
}

const TROUBLE_WORDS: Readonly<Record<WitnessTrouble, string>> = {
  "no-answer": "does not answer",
  "unknown-log": "does not follow this log, or has not got its key",
  "other-history": "has signed another history of this log",
};

function demandedOf(states: readonly WitnessState[], { keys }: WitnessDemand): readonly WitnessState[] {
  return states.filter(({ key }) => keys.includes(formatVerifierKey(key)));
}
