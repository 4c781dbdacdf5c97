import { z } from "zod";
import { type TensorLayout, tensorLayout } from "../codec/tensors.ts";
import { assert } from "../kernel/assert.ts";
import { tensorShapes } from "../layers/chain.ts";
import type { TensorSpec } from "../layers/initializer.ts";
import { layerSpecSchema } from "../layers/table.ts";

/**
 * A sequential model. Its last layer says what it answers:
 *
 * | last layer           | answer                                                               | classCount |
 * | -------------------- | -------------------------------------------------------------------- | ---------- |
 * | Dense softmax, n >= 2 | a probability for each of n classes                                 | n          |
 * | Dense sigmoid, 1     | the probability of the second of two classes                         | 2          |
 * | Dense linear, 1      | a number, in scaled units                                            | (absent)   |
 *
 * `format` and `className` come from the topology files that the schema was modelled on. They are part of taskHash, so they
 * stay.
 */
export const modelSchema = z
  .strictObject({
    format: z.literal("tfjs-layers"),
    /** Without the batch axis: [width] of tables, [height, width, channels] of pictures, [length, channels] of series. */
    inputShape: z.array(z.int().min(1).max(65_536)).min(1).max(3),
    classCount: z.int().min(2).max(1_000).exactOptional(),
    layers: z.array(layerSpecSchema).min(1).max(64),
  })
  .superRefine((model, context) => {
    const issue = (message: string) => context.addIssue({ code: "custom", path: ["layers"], message });
    const names = model.layers.map((layer) => layer.name);
    if (new Set(names).size !== names.length) issue("layer names must differ");
    const refusal = answerRefusal(model);
    if (refusal !== null) issue(refusal);
    const shapes = tensorShapes(model);
    if (!shapes.ok) issue(shapes.error);
  });
export type ModelSpec = z.infer<typeof modelSchema>;

/** Null if the last layer answers what the model is for, else which layer would. */
function answerRefusal({ classCount, layers }: Pick<ModelSpec, "classCount" | "layers">): string | null {
  const last = layers.at(-1);
  const ends = (units: number, activation: string) =>
    last?.className === "Dense" && last.units === units && last.activation === activation;
  if (classCount === undefined) {
    return ends(1, "linear")
      ? null
      : "the last layer must be a Dense linear with one unit, which gives the number";
  }
  if (ends(classCount, "softmax") || (classCount === 2 && ends(1, "sigmoid"))) return null;
  const other = classCount === 2 ? ", or a Dense sigmoid with one unit" : "";
  return `the last layer must be a Dense softmax with one unit a class${other}`;
}

/** Numbers that the last layer gives for one row. Two classes may have one output. */
export function outputCountOf({ layers }: Pick<ModelSpec, "layers">): number {
  const last = layers.at(-1);
  assert(last?.className === "Dense", "a task's schema has checked its model");
  return last.units;
}

/** The trainable tensors of a model in the flat vector of its weights. */
export function modelTensors(model: ModelSpec): TensorLayout<TensorSpec> {
  const shapes = tensorShapes(model);
  assert(shapes.ok, "a task's schema has checked its model");
  return tensorLayout(shapes.value);
}
