import { LIMITS } from "../protocol/limits.ts";
import { type Draft, type DraftRules, fieldsOfColumn } from "./draft.ts";
import type { ColumnFields } from "./propose-columns.ts";

/** What would work, ready to be done: a button beside the sentence that says what is wrong. */
export type DraftMend = { readonly words: string } & (
  | { readonly type: "rules"; readonly rules: Partial<DraftRules> }
  | { readonly type: "column"; readonly at: number; readonly fields: Partial<ColumnFields> }
  /** Asks for the first columns only, as many as a task takes. */
  | { readonly type: "fewer-columns" }
  | { readonly type: "model-text"; readonly text: string }
);

/** The draft with a piece of advice applied; everything else stays as it was typed. */
export function mended(draft: Draft, mend: DraftMend): Draft {
  switch (mend.type) {
    case "rules":
      return { ...draft, rules: { ...draft.rules, ...mend.rules } };
    case "column":
      return withColumns(draft, (at) => (at === mend.at ? mend.fields : null));
    case "fewer-columns":
      return withColumns(draft, overLimit(draft));
    case "model-text":
      return { ...draft, model: { from: "json", text: mend.text } };
  }
}

function withColumns(draft: Draft, edit: (at: number) => Partial<ColumnFields> | null): Draft {
  const columns = draft.columns.map((column, at) => {
    const fields = edit(at);
    return fields === null ? column : { ...column, edited: { ...column.edited, ...fields } };
  });
  return { ...draft, columns };
}

/** Leaves out the columns after the last that a task takes. */
function overLimit({ columns }: Draft): (at: number) => Partial<ColumnFields> | null {
  const asked = columns.flatMap((column, at) => (isAsked(fieldsOfColumn(column)) ? [at] : []));
  const over = new Set(asked.slice(LIMITS.columnsMax));
  return (at) => (over.has(at) ? { use: "left-out" } : null);
}

export function isAsked({ use }: Pick<ColumnFields, "use">): boolean {
  return use === "input" || use === "asked";
}
