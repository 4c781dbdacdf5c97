import { type Draft, type DraftColumn, newDraft } from "./draft.ts";
import { type ColumnFields, EMPTY_FIELDS } from "./propose-columns.ts";

/* Drafts to begin with if there is no sample. Each is small and whole, so that one sees what belongs in it. */

export interface TemplateDraft {
  readonly name: string;
  readonly title: string;
  /** A question that such a model answers. */
  readonly question: string;
  readonly create: () => Draft;
}

const column = (name: string, fields: Partial<ColumnFields>): DraftColumn => ({
  name,
  proposed: { ...EMPTY_FIELDS, ...fields },
  edited: {},
  leftOutBecause: null,
});
const number = (name: string, title: string, from: string, to: string, unit: string, example: string) =>
  column(name, { title, from, to, unit, example });
const category = (name: string, title: string, categories: readonly string[]) =>
  column(name, { type: "category", title, categories, example: categories[0] ?? "" });

export const TEMPLATE_DRAFTS: readonly TemplateDraft[] = [
  {
    name: "table-to-class",
    title: "Table to class",
    question: "Is this patient back within 30 days?",
    create: () =>
      newDraft(
        { kind: "table" },
        [
          number("age", "Age", "0", "110", "years", "60"),
          number("stay", "Length of the stay", "0", "60", "days", "5"),
          category("admission", "How they were admitted", ["emergency", "planned"]),
          column("back", {
            use: "label",
            type: "category",
            title: "Back within 30 days",
            categories: ["no", "yes"],
          }),
        ],
        "my-table",
      ),
  },
  {
    name: "table-to-number",
    title: "Table to number",
    question: "What does this person earn an hour?",
    create: () =>
      newDraft(
        { kind: "table" },
        [
          number("age", "Age", "15", "80", "years", "40"),
          number("schooling", "Years in school", "0", "25", "years", "12"),
          column("hourly", {
            use: "label",
            title: "Hourly earnings",
            from: "0",
            to: "100",
            unit: "dollars an hour",
          }),
        ],
        "my-number",
      ),
  },
  {
    name: "series-to-class",
    title: "Series to class",
    question: "Which movement is in these 128 samples?",
    create: () =>
      newDraft(
        {
          kind: "series",
          length: "128",
          channels: ["x", "y", "z"].map((name) => ({
            name,
            title: `Acceleration, ${name}`,
            unit: "g",
            from: "-4",
            to: "4",
            scaling: "range" as const,
            mean: "",
            deviation: "",
          })),
        },
        [
          column("movement", {
            use: "label",
            type: "category",
            title: "Movement",
            categories: ["standing", "walking", "running"],
          }),
        ],
        "my-series",
      ),
  },
  {
    name: "pictures-to-class",
    title: "Pictures to class",
    question: "Which garment is shown?",
    create: () =>
      newDraft(
        {
          kind: "pictures",
          height: "28",
          width: "28",
          channels: "1",
          from: "0",
          to: "255",
          classes: ["shirt", "shoe", "bag"],
        },
        [],
        "my-pictures",
      ),
  },
];
