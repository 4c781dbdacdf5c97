import { formatCount } from "../kernel/number-words.ts";
import type { Task } from "../task/task.ts";

/* Which witnesses a task asks for, in words. */

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
