import { z } from "zod";
import type { Result } from "../kernel/result.ts";
import type { TensorSpec } from "./initializer.ts";
import type { Ops, ScarceOp, Shape } from "./ops.ts";

/** A layer's name within its model; its tensors are called `name/kernel`, `name/bias`, ... */
export const layerNameSchema = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/);

/** What the spec of every layer has. If it has an `activation` too, the chain applies that to the layer's output. */
export type LayerSchema = z.ZodObject<{ className: z.ZodLiteral<string>; name: typeof layerNameSchema }>;

/** A layer's weights by their names in `tensors`. @throws AssertionFault for any other name. */
export type Weights<Tensor> = (name: string) => Tensor;

/** A layer's own part of a training step. Tensors have the batch axis first. */
export interface Pass<Tensor> {
  readonly input: Tensor;
  /** Before the activation. */
  readonly output: Tensor;
  readonly weights: Weights<Tensor>;
}

/**
 * One kind of layer: how a task writes it down, and what it computes. A new kind is a file with one of these and its entry in
 * `list.ts`; the task's schema, the shapes, the network and its gradient follow from there.
 *
 * Shapes are without the batch axis, and whoever calls with one has checked it: only `outputShape` meets bad ones.
 */
export interface Layer<Schema extends LayerSchema = LayerSchema> {
  /** Strict, with a literal `className`. */
  readonly schema: Schema;
  readonly needs: readonly ScarceOp[];
  /** Errors: what is wrong with such an input, as the end of a sentence. Sizes below 1 are refused by the chain. */
  outputShape(spec: z.output<Schema>, input: Shape): Result<Shape, string>;
  /** The trainable tensors, by their names within the layer. */
  tensors(spec: z.output<Schema>, input: Shape): readonly TensorSpec[];
  forward<Tensor extends object>(
    ops: Ops<Tensor>,
    spec: z.output<Schema>,
    input: Tensor,
    weights: Weights<Tensor>,
  ): Tensor;
  /** @param flow  Gradient of the loss by `pass.output`. @returns the gradient by each weight, by name. */
  weightGradients<Tensor extends object>(
    ops: Ops<Tensor>,
    spec: z.output<Schema>,
    pass: Pass<Tensor>,
    flow: Tensor,
  ): Readonly<Record<string, Tensor>>;
  /** The gradient by `pass.input`; the first layer of a model is not asked. */
  inputGradient<Tensor extends object>(
    ops: Ops<Tensor>,
    spec: z.output<Schema>,
    pass: Pass<Tensor>,
    flow: Tensor,
  ): Tensor;
}

/** Infers the spec's type from the schema. */
export function layer<Schema extends LayerSchema>(definition: Layer<Schema>): Layer<Schema> {
  return definition;
}
