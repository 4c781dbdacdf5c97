import { z } from "zod";
import { LIMITS } from "../protocol/limits.ts";

const name = z.string().min(1).max(LIMITS.nameLengthMax);
/** What is scaled to [0, 1]; upside down it would turn the data over, and empty it would divide by zero. */
const risingRange = z
  .tuple([z.number(), z.number()])
  .refine(([least, greatest]) => least < greatest, "range must rise")
  .refine(([least, greatest]) => Number.isFinite(greatest - least), "range is too wide");
const classNames = z.array(name).min(2).max(LIMITS.classesMax);

/** A number that is scaled to [0, 1] over `range`; what lies outside is refused when data are brought. */
const numericColumnSchema = z.strictObject({
  name,
  type: z.literal("numeric"),
  range: risingRange,
  unit: z.string().max(40).optional(),
  protected: z.boolean().default(false),
  /** A protected attribute may be kept out of the model's input and still be used to judge it. */
  input: z.boolean().default(true),
});

/** One of `categories`, one-hot in that order. */
const categoricalColumnSchema = z.strictObject({
  name,
  type: z.literal("categorical"),
  categories: z.array(name).min(2).max(LIMITS.categoriesMax),
  protected: z.boolean().default(false),
  input: z.boolean().default(true),
});
const columnSchema = z.discriminatedUnion("type", [numericColumnSchema, categoricalColumnSchema]);
export type Column = z.infer<typeof columnSchema>;

const tabularSchema = z
  .strictObject({
    kind: z.literal("tabular"),
    columns: z.array(columnSchema).min(1).max(LIMITS.columnsMax),
    label: z.strictObject({ name }),
    /** The label's values in the order of the model's outputs. */
    classes: classNames,
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
  });

const imageSchema = z.strictObject({
  kind: z.literal("image"),
  height: z.int().min(1).max(512),
  width: z.int().min(1).max(512),
  /** Pixel values as the data files hold them; scaled to [0, 1] before training. One grey channel. */
  range: risingRange,
  classes: classNames,
});

/** What a device brings: columns of a table, or grey pictures of one size; always with one class label a row. */
export const featuresSchema = z.union([tabularSchema, imageSchema]);
export type Features = z.infer<typeof featuresSchema>;
export type TabularFeatures = Extract<Features, { kind: "tabular" }>;
export type ImageFeatures = Extract<Features, { kind: "image" }>;

/** The model's input shape for one row, without the batch axis: [width], or [height, width, 1]. */
export function inputShape(features: Features): number[] {
  if (features.kind === "image") return [features.height, features.width, 1];
  let width = 0;
  for (const column of features.columns) {
    if (column.input) width += column.type === "numeric" ? 1 : column.categories.length;
  }
  return [width];
}
