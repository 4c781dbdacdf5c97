import type { Task } from "#shared/task/task.ts";
import { formatVerifierKey } from "#shared/tlog/note.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

/**
 * Why no device could take part in this task, because its witnesses do not sign this coordinator's log; null if enough of them
 * are asked. Rule A44.
 */
export function unwitnessedLog(
  { publicLog }: Pick<CoordinatorPorts, "publicLog">,
  { slug, logWitnesses }: Pick<Task, "slug" | "logWitnesses">,
): string | null {
  if (logWitnesses === undefined) return null;
  if (publicLog == null)
    return `Task ${slug} asks for witnesses of the public log, and this coordinator keeps none. Nothing was launched.`;
  const asked = new Set(publicLog.witnesses.map(formatVerifierKey));
  const { keys, needed } = logWitnesses;
  const missing = keys.filter((key) => !asked.has(key));
  const have = keys.length - missing.length;
  if (have >= needed) return null;
  return `Task ${slug} asks for the signatures of ${needed} of its witnesses under the public log, and this coordinator asks ${have} of them; ${missing.join(", ")} does not sign its log. This version of the program cannot ask witnesses yet: publish a version of the task without them. Nothing was launched.`;
}
