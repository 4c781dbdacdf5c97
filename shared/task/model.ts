import { z } from "zod";
import { type TensorLayout, tensorLayout } from "../codec/tensors.ts";
import { assert } from "../kernel/assert.ts";
import { tensorShapes } from "../layers/chain.ts";
import type { TensorSpec } from "../layers/initializer.ts";
import { layerSpecSchema } from "../layers/table.ts";

/**
 * A sequential classifier whose last layer gives one softmax output a class.
 *
 * `format` and `className` are the words of the topology files that the schema began with; they are part of taskHash and stay.
 */
export const modelSchema = z
  .strictObject({
    format: z.literal("tfjs-layers"),
    /** Without the batch axis: [width] for tables, [height, width, 1] for pictures. */
    inputShape: z.array(z.int().min(1).max(65_536)).min(1).max(3),
    classCount: z.int().min(2).max(1_000),
    layers: z.array(layerSpecSchema).min(1).max(64),
  })
  .superRefine((model, context) => {
    const last = model.layers.at(-1);
    const names = model.layers.map((layer) => layer.name);
    if (new Set(names).size !== names.length) {
      context.addIssue({ code: "custom", path: ["layers"], message: "layer names must differ" });
    }
    if (last?.className !== "Dense" || last.units !== model.classCount || last.activation !== "softmax") {
      context.addIssue({
        code: "custom",
        path: ["layers"],
        message: "the last layer must be a Dense softmax with one unit a class",
      });
    }
    const shapes = tensorShapes(model);
    if (!shapes.ok) context.addIssue({ code: "custom", path: ["layers"], message: shapes.error });
  });
export type ModelSpec = z.infer<typeof modelSchema>;

/** The trainable tensors of a model in the flat vector of its weights. */
export function modelTensors(model: ModelSpec): TensorLayout<TensorSpec> {
  const shapes = tensorShapes(model);
  assert(shapes.ok, "a task's schema has checked its model");
  return tensorLayout(shapes.value);
}
