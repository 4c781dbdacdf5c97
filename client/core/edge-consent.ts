import type { Task } from "#shared/task/task.ts";

/**
 * What whoever starts an edge agrees to, in words. The edge prints it when it agrees, and its consent ledger keeps it. Every
 * number comes from the task. Rule A70.
 */
export function edgeConsentWords(task: Task): string {
  const { one, many } = task.exampleNoun;
  const others = task.aggregation.cohortSizeMin - 1;
  const { purpose, intendedUse, notFor, contact } = task;
  const said = [
    ["Purpose", purpose],
    ["Intended use", intendedUse],
    ["Not for", notFor],
    ["Questions go to", contact],
  ].flatMap(([name, text]) => (text === undefined ? [] : [`${name}: ${text}`]));
  return [
    `By starting, this device agrees to version ${task.version} of ${task.slug}: ${task.invitation}`,
    `Your ${many} stay on this machine. In each round one masked list of numbers leaves, with the keys to mask it; no ${one} leaves. The list means nothing until it is added to at least ${others} other${others === 1 ? "" : "s"}.`,
    "The coordinator sees that this device takes part, and when. What is in a sum cannot be taken out again. This task adds no noise.",
    ...said,
    "End this program to stop; --withdraw records that the agreement has ended.",
  ].join("\n");
}
