import { z } from "zod";

/*
 * The tfjs layers topology of a task, as an allow-list: the architecture is pinned in configHash, and a layer that could
 * carry one person's row through the sum (SECAGG section 13) has no name here. The engine runs it on tfjs operations.
 */

const initializerFree = { name: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/) };
const activation = z.enum(["linear", "relu", "tanh", "sigmoid", "softmax"]);
const layerSchema = z.discriminatedUnion("className", [
  z.strictObject({ className: z.literal("Flatten"), ...initializerFree }),
  z.strictObject({
    className: z.literal("Dense"),
    ...initializerFree,
    units: z.int().min(1).max(65_536),
    activation,
  }),
  z.strictObject({
    className: z.literal("Conv2D"),
    ...initializerFree,
    filters: z.int().min(1).max(1_024),
    kernelSize: z.int().min(1).max(31),
    strides: z.int().min(1).max(8),
    padding: z.enum(["valid", "same"]),
    activation,
  }),
  z.strictObject({
    className: z.literal("MaxPooling2D"),
    ...initializerFree,
    poolSize: z.int().min(1).max(16),
    strides: z.int().min(1).max(16),
  }),
]);
export type LayerSpec = z.infer<typeof layerSchema>;

/** A sequential classifier whose last layer gives one softmax output a class. */
export const modelSchema = z
  .strictObject({
    format: z.literal("tfjs-layers"),
    /** Without the batch axis: [width] for tables, [height, width, 1] for pictures. */
    inputShape: z.array(z.int().min(1).max(65_536)).min(1).max(3),
    classCount: z.int().min(2).max(1_000),
    layers: z.array(layerSchema).min(1).max(64),
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
    if (!shapes.ok) context.addIssue({ code: "custom", path: ["layers"], message: shapes.problem });
  });
export type ModelSpec = z.infer<typeof modelSchema>;

/** A trainable tensor: name `layer/kernel` or `layer/bias`, shape as tf.layers has it. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * The trainable tensors in the order of the layers, kernel before bias; this is the order of the flat weight vector.
 *
 * Dense [in, units], [units]; Conv2D [k, k, channels, filters], [filters].
 */
export function tensorShapes(
  model: Pick<z.infer<typeof modelSchema>, "inputShape" | "layers">,
):
  | { readonly ok: true; readonly tensors: readonly TensorSpec[] }
  | { readonly ok: false; readonly problem: string } {
  let shape: readonly number[] = model.inputShape;
  const tensors: TensorSpec[] = [];
  for (const layer of model.layers) {
    const [height = 0, width = 0, channels = 0] = shape;
    switch (layer.className) {
      case "Flatten":
        shape = [shape.reduce((product, size) => product * size, 1)];
        break;
      case "Dense": {
        if (shape.length !== 1) return { ok: false, problem: `${layer.name}: put a Flatten layer before it` };
        tensors.push({ name: `${layer.name}/kernel`, shape: [height, layer.units] });
        tensors.push({ name: `${layer.name}/bias`, shape: [layer.units] });
        shape = [layer.units];
        break;
      }
      case "Conv2D": {
        if (shape.length !== 3)
          return { ok: false, problem: `${layer.name}: takes a picture, not a flat vector` };
        tensors.push({
          name: `${layer.name}/kernel`,
          shape: [layer.kernelSize, layer.kernelSize, channels, layer.filters],
        });
        tensors.push({ name: `${layer.name}/bias`, shape: [layer.filters] });
        const out = (size: number) =>
          layer.padding === "same"
            ? Math.ceil(size / layer.strides)
            : Math.floor((size - layer.kernelSize) / layer.strides) + 1;
        shape = [out(height), out(width), layer.filters];
        break;
      }
      case "MaxPooling2D": {
        if (shape.length !== 3)
          return { ok: false, problem: `${layer.name}: takes a picture, not a flat vector` };
        const out = (size: number) => Math.floor((size - layer.poolSize) / layer.strides) + 1;
        shape = [out(height), out(width), channels];
        break;
      }
    }
    if (shape.some((size) => size < 1))
      return { ok: false, problem: `${layer.name}: nothing is left of its input` };
  }
  return { ok: true, tensors };
}
