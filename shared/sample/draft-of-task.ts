import type { Column } from "../task/features.ts";
import type { Scaled } from "../task/scaling.ts";
import type { Task } from "../task/task.ts";
import type { Draft, DraftAbout, DraftColumn, DraftData } from "./draft.ts";
import { type ColumnFields, EMPTY_FIELDS } from "./propose-columns.ts";

/** A draft of the version after `task`, in which nothing is changed yet. */
export function draftOfTask(task: Task): Draft {
  const { features } = task;
  return {
    format: 1,
    data: dataOf(task),
    base: task,
    isNext: true,
    sample: null,
    columns: [
      ...(features.kind === "tabular" ? features.columns.map(ofColumn) : []),
      ...(features.kind === "image" ? [] : [ofLabel(features)]),
    ],
    model: { from: "base" },
    rules: {},
    about: aboutOfTask(task),
    heldOut: "without",
  };
}

/** The words of a task, as they would be typed. */
export function aboutOfTask(task: Task): DraftAbout {
  const { slug, exampleNoun, purpose = "", intendedUse = "", notFor = "", contact = "" } = task;
  return { slug, purpose, noun: `${exampleNoun.one}, ${exampleNoun.many}`, intendedUse, notFor, contact };
}

function dataOf({ features }: Task): DraftData {
  switch (features.kind) {
    case "tabular":
      return { kind: "table" };
    case "series":
      return {
        kind: "series",
        length: String(features.length),
        channels: features.channels.map(({ name, title = "", unit = "", range, scaling }) => ({
          name,
          title,
          unit,
          from: String(range[0]),
          to: String(range[1]),
          ...scalingFields({ range, ...(scaling !== undefined && { scaling }) }),
        })),
      };
    case "image":
      return {
        kind: "pictures",
        height: String(features.height),
        width: String(features.width),
        channels: features.channels === 3 ? "3" : "1",
        from: String(features.range[0]),
        to: String(features.range[1]),
        classes: features.classes,
      };
  }
}

function ofColumn(column: Column): DraftColumn {
  const { name, title = "", description = "", why = "" } = column;
  const about = {
    use: column.input ? ("input" as const) : ("asked" as const),
    protected: column.protected,
    title,
    description,
    why,
    missing: column.missing ?? ("refuse" as const),
    example: column.example === undefined ? "" : String(column.example),
  };
  const own: Partial<ColumnFields> =
    column.type === "numeric"
      ? { type: "number", unit: column.unit ?? "", ...numberFields(column) }
      : { type: "category", categories: column.categories, other: column.other ?? "" };
  return { name, proposed: { ...EMPTY_FIELDS, ...about, ...own }, edited: {}, leftOutBecause: null };
}

function ofLabel({ label, classes }: Exclude<Task["features"], { kind: "image" }>): DraftColumn {
  const { name, title = "", description = "", unit = "", range, scaling } = label;
  const own: Partial<ColumnFields> =
    range === undefined
      ? { type: "category", categories: classes ?? [] }
      : { type: "number", unit, ...numberFields({ range, ...(scaling !== undefined && { scaling }) }) };
  const proposed: ColumnFields = { ...EMPTY_FIELDS, use: "label", title, description, ...own };
  return { name, proposed, edited: {}, leftOutBecause: null };
}

function numberFields(scaled: Scaled): Partial<ColumnFields> {
  return { from: String(scaled.range[0]), to: String(scaled.range[1]), ...scalingFields(scaled) };
}

function scalingFields({ scaling }: Scaled): Pick<ColumnFields, "scaling" | "mean" | "deviation"> {
  if (scaling === undefined) return { scaling: "range", mean: "", deviation: "" };
  if (scaling.kind === "log1p") return { scaling: "log1p", mean: "", deviation: "" };
  return { scaling: "standard", mean: String(scaling.mean), deviation: String(scaling.deviation) };
}
