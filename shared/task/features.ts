import { z } from "zod";
import { elementCount } from "../kernel/shape.ts";
import { LIMITS } from "../protocol/limits.ts";
import { risingRange, scalingRefusal, scalingSchema } from "./scaling.ts";
import { sentenceSchema, titleSchema, unitSchema } from "./sentence.ts";

const name = z.string().min(1).max(LIMITS.nameLengthMax);
const classNames = z.array(name).min(2).max(LIMITS.classesMax);

/** What participants read of a column beside its name. */
const aboutColumn = {
  title: titleSchema.exactOptional(),
  description: sentenceSchema.exactOptional(),
  /** Why a protected column is asked for. */
  why: sentenceSchema.exactOptional(),
  protected: z.boolean().default(false),
  /** A protected attribute may be excluded from the model's input and still be used to evaluate the model. */
  input: z.boolean().default(true),
};

/** A number in `range`. Rows with numbers outside are refused at import. */
const numericColumnSchema = z.strictObject({
  name,
  type: z.literal("numeric"),
  range: risingRange,
  unit: z.string().max(40).optional(),
  /** Default: the range becomes 0 to 1. */
  scaling: scalingSchema.exactOptional(),
  /** What a missing number becomes: the middle of the range. Default: its row is left out. */
  missing: z.literal("middle").exactOptional(),
  /** For the form that tries the model. */
  example: z.number().exactOptional(),
  ...aboutColumn,
});

/** One of `categories`, one-hot encoded in that order. */
const categoricalColumnSchema = z.strictObject({
  name,
  type: z.literal("categorical"),
  categories: z.array(name).min(2).max(LIMITS.categoriesMax),
  /** The category that takes every value that is not listed. Default: a row with such a value is left out. */
  other: name.exactOptional(),
  /** What a missing value becomes: a category of its own, encoded after the others. Default: its row is left out. */
  missing: z.literal("category").exactOptional(),
  /** For the form that tries the model. */
  example: name.exactOptional(),
  ...aboutColumn,
});
const columnSchema = z
  .discriminatedUnion("type", [numericColumnSchema, categoricalColumnSchema])
  .superRefine((column, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (column.why !== undefined && !column.protected) issue("why", "only a protected column needs a why");
    if (column.type === "numeric") {
      const { example, range } = column;
      const refusal = scalingRefusal(column);
      if (refusal !== null) issue("scaling", refusal);
      if (example !== undefined && !(example >= range[0] && example <= range[1])) {
        issue("example", `an example must lie in the range, ${range[0]} to ${range[1]}`);
      }
      return;
    }
    for (const field of ["other", "example"] as const) {
      const value = column[field];
      if (value !== undefined && !column.categories.includes(value)) {
        issue(field, `${field} must be one of the categories`);
      }
    }
  });
export type Column = z.infer<typeof columnSchema>;

/** What a row is labelled with: one of `classes`, or a number if there are none. */
const target = {
  label: z.strictObject({
    name,
    title: titleSchema.exactOptional(),
    description: sentenceSchema.exactOptional(),
    /** Of a number. Figures are shown in it. */
    unit: unitSchema.exactOptional(),
    /** Of a number. Rows with a label outside are refused at import, and no answer of the model lies outside. */
    range: risingRange.exactOptional(),
    /** Of a number. Default: the range becomes 0 to 1. The loss is in scaled units. */
    scaling: scalingSchema.exactOptional(),
  }),
  /** The label's values in the order of the model's outputs. */
  classes: classNames.exactOptional(),
};
type TargetFields = z.output<z.ZodObject<typeof target>>;

function checkTarget({ label, classes }: TargetFields, context: z.core.$RefinementCtx): void {
  const issue = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  const { range, unit, scaling } = label;
  if (classes !== undefined) {
    for (const [field, value] of Object.entries({ range, unit, scaling })) {
      if (value !== undefined) issue(["label", field], `a label with classes has no ${field}; leave one out`);
    }
    return;
  }
  if (range === undefined) {
    issue(["classes"], "the label needs classes, or a range and a unit if it is a number");
    return;
  }
  if (unit === undefined) issue(["label", "unit"], "a number needs a unit, because figures are shown in it");
  const refusal = scalingRefusal(scaling === undefined ? { range } : { range, scaling });
  if (refusal !== null) issue(["label", "scaling"], refusal);
}

const tabularSchema = z
  .strictObject({
    kind: z.literal("tabular"),
    columns: z.array(columnSchema).min(1).max(LIMITS.columnsMax),
    ...target,
  })
  .superRefine((features, context) => {
    const names = [...features.columns.map((column) => column.name), features.label.name];
    if (new Set(names).size !== names.length) {
      context.addIssue({
        code: "custom",
        path: ["columns"],
        message: "column names must differ, the label's too",
      });
    }
    checkTarget(features, context);
  });

const imageSchema = z.strictObject({
  kind: z.literal("image"),
  height: z.int().min(1).max(512),
  width: z.int().min(1).max(512),
  /** 3 for red, green and blue. Default: 1, grey. */
  channels: z.literal([1, 3]).exactOptional(),
  /** Range of pixel values in the data files, scaled to [0, 1] before training. */
  range: risingRange,
  classes: classNames,
});

/**
 * What is measured at each step of a series. Its columns in a CSV are its name followed by the step, from 0: x0, x1, ...
 * A name that ends with a digit would make those ambiguous.
 */
const channelSchema = z
  .strictObject({
    name: name.regex(/\D$/, "a channel's name must not end with a digit"),
    title: titleSchema.exactOptional(),
    unit: unitSchema.exactOptional(),
    range: risingRange,
    scaling: scalingSchema.exactOptional(),
  })
  .superRefine((channel, context) => {
    const refusal = scalingRefusal(channel);
    if (refusal !== null) context.addIssue({ code: "custom", path: ["scaling"], message: refusal });
  });

/** Numbers in one series, which are columns of a CSV. */
const SERIES_SIZE_MAX = 16_384;

const seriesSchema = z
  .strictObject({
    kind: z.literal("series"),
    /** Steps of every series. */
    length: z.int().min(2).max(4_096),
    channels: z.array(channelSchema).min(1).max(64),
    ...target,
  })
  .superRefine((features, context) => {
    const names = features.channels.map((channel) => channel.name);
    const issue = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (new Set(names).size !== names.length) issue("channels", "channel names must differ");
    const { label, length } = features;
    if (length * names.length > SERIES_SIZE_MAX) {
      issue("length", `length times channels must be at most ${SERIES_SIZE_MAX}`);
    }
    if (names.some((channel) => isStepOf(channel, label.name, length))) {
      issue("label", "the label's name is that of a column of the series");
    }
    checkTarget(features, context);
  });

function isStepOf(channel: string, column: string, length: number): boolean {
  if (!column.startsWith(channel)) return false;
  const step = column.slice(channel.length);
  return /^(?:0|[1-9]\d*)$/.test(step) && Number(step) < length;
}

/** A device's data: columns of a table, pictures of one size, or series of one length, with one label per row. */
export const featuresSchema = z.discriminatedUnion("kind", [tabularSchema, imageSchema, seriesSchema]);
export type Features = z.infer<typeof featuresSchema>;
export type TabularFeatures = Extract<Features, { kind: "tabular" }>;
export type ImageFeatures = Extract<Features, { kind: "image" }>;
export type SeriesFeatures = Extract<Features, { kind: "series" }>;

/** Channels of an image task's pictures: 1 for grey, 3 for red, green and blue. */
export function channelCount({ channels = 1 }: ImageFeatures): 1 | 3 {
  return channels;
}

/** Inputs of the model that one column becomes, if it is an input. */
export function columnWidth(column: Column): number {
  if (column.type === "numeric") return 1;
  return column.categories.length + (column.missing === "category" ? 1 : 0);
}

/**
 * The model's input shape for one row, without the batch axis: [width] of a table, [height, width, channels] of a picture,
 * [length, channels] of a series.
 */
export function inputShape(features: Features): number[] {
  if (features.kind === "image") return [features.height, features.width, channelCount(features)];
  if (features.kind === "series") return [features.length, features.channels.length];
  let width = 0;
  for (const column of features.columns) if (column.input) width += columnWidth(column);
  return [width];
}

/** Numbers in one row of the model's input. */
export function inputSize(features: Features): number {
  return elementCount(inputShape(features));
}
