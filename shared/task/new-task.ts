import type { Features } from "./features.ts";
import { taskSchema } from "./task.ts";

/*
 * What is asked of a task that someone makes today. `taskSchema` also reads the tasks of earlier versions, which never
 * change (E41).
 */

/** A task that can be published: classes and categories are trimmed and differ, so that each can have rows. Rule E40. */
export const newTaskSchema = taskSchema.superRefine(({ features }, context) => {
  for (const { path, words } of listsOf(features)) {
    const message = wordsFault(words);
    if (message !== null) context.addIssue({ code: "custom", path: ["features", ...path], message });
  }
});

function listsOf(features: Features) {
  const { classes = [] } = features;
  const columns = features.kind === "tabular" ? features.columns : [];
  return [
    { path: ["classes"], words: classes },
    ...columns.flatMap((column, at) =>
      column.type === "categorical"
        ? [{ path: ["columns", at, "categories"], words: column.categories }]
        : [],
    ),
  ];
}

/** What keeps one of the words from having rows of its own; null if nothing does. */
function wordsFault(words: readonly string[]): string | null {
  // Cells are trimmed when they are read.
  const padded = words.find((word) => word !== word.trim() || word === "");
  if (padded !== undefined) return `"${padded}" is blank or has blanks around it; no row can say that`;
  const twice = words.find((word, at) => words.indexOf(word) !== at);
  return twice === undefined ? null : `"${twice}" stands there twice; name each once`;
}
