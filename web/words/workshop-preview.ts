import { projectSentence } from "#shared/project/sentences.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { Column } from "#shared/task/features.ts";
import type { Task } from "#shared/task/task.ts";
import { capitalise, formatCount } from "./format.ts";

const NO_HASH = "0".repeat(64) as HashHex;

/** What the log will keep if this version is published. */
export function publishEntry({ slug, version }: Task, actor: string, takesUp: boolean): string {
  // The sentence does not say the hash, which the coordinator computes.
  const event = { type: "task-created", slug, version, taskHash: NO_HASH, actor } as const;
  return projectSentence(takesUp ? { ...event, takesUp } : event);
}

/** What a participant has to bring, in one sentence. */
export function askedForSentence({ features, exampleNoun }: Task): string {
  if (features.kind === "image") {
    const colour = features.channels === 3 ? "colour" : "grey";
    return `${exampleNoun.many}, as ${colour} pictures of ${features.width} by ${features.height} pixels (others are brought to that size), each in the folder of its class: ${listed(features.classes)}.`;
  }
  const { title = features.label.name } = features.label;
  if (features.kind === "series") {
    const channels = features.channels.map(({ name, title: words = name }) => words);
    return `a CSV with ${formatCount(features.length)} steps of ${listed(channels)}, and ${title}.`;
  }
  const inputs = features.columns.filter(({ input }) => input).map(columnWords);
  const names = features.columns.filter(({ input }) => !input).map(columnWords);
  const unused =
    names.length === 0
      ? []
      : [`${capitalise(listed(names))} ${names.length === 1 ? "is" : "are"} not used to learn.`];
  const reasons = features.columns.flatMap(({ name, title: words = name, why }) =>
    why === undefined ? [] : [`Why ${words} is asked for: ${ended(why)}`],
  );
  return [`a CSV with ${listed([...inputs, title, ...names])}.`, ...unused, ...reasons].join(" ");
}

function columnWords(column: Column): string {
  const { name, title = name, missing } = column;
  return missing === undefined ? title : `${title} (may be missing)`;
}

function listed(names: readonly string[]): string {
  if (names.length > 20) return `${names.slice(0, 19).join(", ")} and ${formatCount(names.length - 19)} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
