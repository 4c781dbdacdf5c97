import { type Draft, type DraftChannel, type DraftColumn, fieldsOfColumn } from "./draft.ts";
import type { ColumnFields } from "./propose-columns.ts";
import { numberOf } from "./typed.ts";

/** Where a column of the task stands in the draft. */
export interface PlacedColumn {
  readonly at: number;
  readonly isLabel: boolean;
}

/** Features in the schema's input form, unchecked; `places` has the columns in the order of the features, the label last. */
export function featuresOf(draft: Draft): { readonly raw: object; readonly places: readonly PlacedColumn[] } {
  const all = draft.columns.map((column, at) => ({ column, at, fields: fieldsOfColumn(column) }));
  const label = all.find(({ fields }) => fields.use === "label");
  const asked = all.filter(({ fields }) => fields.use === "input" || fields.use === "asked");
  const labelPlace = label === undefined ? [] : [{ at: label.at, isLabel: true }];
  const target: object = label === undefined ? {} : targetOf(label.column, label.fields);
  const { data } = draft;
  switch (data.kind) {
    case "table":
      return {
        raw: {
          kind: "tabular",
          columns: asked.map(({ column, fields }) => columnOf(column, fields)),
          ...target,
        },
        places: [...asked.map(({ at }) => ({ at, isLabel: false })), ...labelPlace],
      };
    case "series":
      return {
        raw: {
          kind: "series",
          length: numberOf(data.length),
          channels: data.channels.map(channelOf),
          ...target,
        },
        places: labelPlace,
      };
    case "pictures":
      return {
        raw: {
          kind: "image",
          height: numberOf(data.height),
          width: numberOf(data.width),
          ...(data.channels === "3" && { channels: 3 }),
          range: [numberOf(data.from), numberOf(data.to)],
          classes: named(data.classes),
        },
        places: [],
      };
  }
}

function channelOf(channel: DraftChannel): object {
  const { name, title, unit, from, to } = channel;
  return {
    name,
    ...given("title", title),
    ...given("unit", unit),
    range: [numberOf(from), numberOf(to)],
    ...scalingOf(channel),
  };
}

function columnOf({ name }: DraftColumn, fields: ColumnFields): object {
  const about = {
    ...given("title", fields.title),
    ...given("description", fields.description),
    ...(fields.protected ? given("why", fields.why) : {}),
    protected: fields.protected,
    input: fields.use === "input",
  };
  if (fields.type === "number") {
    return {
      name,
      type: "numeric",
      range: [numberOf(fields.from), numberOf(fields.to)],
      ...given("unit", fields.unit),
      ...scalingOf(fields),
      ...(fields.missing === "middle" && { missing: "middle" }),
      ...exampleNumber(fields),
      ...about,
    };
  }
  const categories = categoriesOf(fields);
  return {
    name,
    type: "categorical",
    categories,
    ...given("other", fields.other),
    ...(fields.missing === "category" && { missing: "category" }),
    ...(categories.includes(fields.example) && { example: fields.example }),
    ...about,
  };
}

function targetOf({ name }: DraftColumn, fields: ColumnFields): object {
  const words = { ...given("title", fields.title), ...given("description", fields.description) };
  if (fields.type === "category") return { label: { name, ...words }, classes: categoriesOf(fields) };
  return {
    label: {
      name,
      ...words,
      range: [numberOf(fields.from), numberOf(fields.to)],
      ...given("unit", fields.unit),
      ...scalingOf(fields),
    },
  };
}

/** All categories, the one that takes the rest last. */
export function categoriesOf({ categories, other }: Pick<ColumnFields, "categories" | "other">): string[] {
  const own = named(categories);
  const rest = other.trim();
  return rest === "" || own.includes(rest) ? own : [...own, rest];
}

/** Lines with text, trimmed. */
export function named(lines: readonly string[]): string[] {
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

function scalingOf(fields: Pick<ColumnFields, "scaling" | "mean" | "deviation">): object {
  if (fields.scaling === "log1p") return { scaling: { kind: "log1p" } };
  if (fields.scaling === "range") return {};
  return {
    scaling: { kind: "standard", mean: numberOf(fields.mean), deviation: numberOf(fields.deviation) },
  };
}

/** An example outside a range that someone has narrowed is dropped rather than complained about. */
function exampleNumber({ example, from, to }: ColumnFields): object {
  const value = numberOf(example);
  return value >= numberOf(from) && value <= numberOf(to) ? { example: value } : {};
}

function given<Name extends string>(name: Name, typed: string): Partial<Record<Name, string>> {
  const text = typed.trim();
  return text === "" ? {} : ({ [name]: text } as Record<Name, string>);
}
