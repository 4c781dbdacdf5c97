import { z } from "zod";
import type { Result } from "../kernel/result.ts";
import type { TensorSpec } from "./initializer.ts";
import type { Ops, ScarceOp, Shape } from "./ops.ts";

/** A layer's name within its model. Its tensors are called `name/kernel`, `name/bias`, ... */
export const layerNameSchema = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/);

/** Fields of every layer's spec. If a spec also has an `activation`, the chain applies it to the layer's output. */
export type LayerSchema = z.ZodObject<{ className: z.ZodLiteral<string>; name: typeof layerNameSchema }>;

/** A layer's weights by their names in `tensors`. @throws AssertionFault for any other name. */
export type Weights<Tensor> = (name: string) => Tensor;

/** One layer's part of a training step. Tensors have the batch axis first. */
export interface Pass<Tensor> {
  readonly input: Tensor;
  /** Before the activation. */
  readonly output: Tensor;
  readonly weights: Weights<Tensor>;
}

/**
 * One kind of layer: how a task writes it, and what it computes. A new kind is a file with one of these and an entry in
 * `list.ts`. The task's schema, the shapes, the network and its gradient follow from that.
 *
 * Shapes exclude the batch axis. Callers check them with `outputShape`, so the other methods get only valid ones.
 */
export interface Layer<Schema extends LayerSchema = LayerSchema> {
  /** Strict, with a literal `className`. */
  readonly schema: Schema;
  readonly needs: readonly ScarceOp[];
  words(spec: z.output<Schema>): LayerWords;
  /** Error: the fault of the input, as the end of a sentence. The chain refuses sizes below 1. */
  outputShape(spec: z.output<Schema>, input: Shape): Result<Shape, string>;
  /** The trainable tensors, by their names within the layer. */
  tensors(spec: z.output<Schema>, input: Shape): readonly TensorSpec[];
  /**
   * Only for layers that are noisy while they train: the factor of one number of the output, anew for each number of each
   * batch. The chain multiplies output and gradient by it.
   *
   * @param uniform  The next number of the training's generator, in [0, 1).
   */
  noise?(spec: z.output<Schema>, uniform: () => number): number;
  forward<Tensor extends object>(
    ops: Ops<Tensor>,
    spec: z.output<Schema>,
    input: Tensor,
    weights: Weights<Tensor>,
  ): Tensor;
  /** @param flow  Gradient of the loss by `pass.output`. @returns The gradient by each weight, by name. */
  weightGradients<Tensor extends object>(
    ops: Ops<Tensor>,
    spec: z.output<Schema>,
    pass: Pass<Tensor>,
    flow: Tensor,
  ): Readonly<Record<string, Tensor>>;
  /** The gradient by `pass.input`. Not called for the first layer of a model. */
  inputGradient<Tensor extends object>(
    ops: Ops<Tensor>,
    spec: z.output<Schema>,
    pass: Pass<Tensor>,
    flow: Tensor,
  ): Tensor;
}

/** What people read of a layer. */
export interface LayerWords {
  /** In a list of layers, e.g. "Dense 32". */
  readonly full: string;
  /** In one line for the whole model, e.g. the 32 of "64-32-10"; null if the layer is left out there. */
  readonly short: string | null;
}

/** Infers the spec's type from the schema. */
export function layer<Schema extends LayerSchema>(definition: Layer<Schema>): Layer<Schema> {
  return definition;
}
