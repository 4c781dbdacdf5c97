import { assert, present } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { elementCount } from "../kernel/shape.ts";
import type { TensorSpec } from "./initializer.ts";
import type { Layer, Pass } from "./layer.ts";
import type { Aim } from "./losses/loss.ts";
import type { Ops, ScarceOp, Shape } from "./ops.ts";
import { activationOf, type LayerSpec, layerOf } from "./table.ts";

/*
 * A model as a chain of layers: its tensors, its forward pass and its gradient. Backpropagation through a chain is simple,
 * so no engine needs a gradient tape.
 */

export interface Chain {
  /** Without the batch axis. */
  readonly inputShape: Shape;
  readonly layers: readonly LayerSpec[];
}

/**
 * The trainable tensors in the order of the flat weight vector: by layer, `layer/kernel` before `layer/bias`.
 *
 * Error: a sentence that names the layer that cannot take its input, and why.
 */
export function tensorShapes(chain: Chain): Result<readonly TensorSpec[], string> {
  let shape = chain.inputShape;
  const tensors: TensorSpec[] = [];
  for (const spec of chain.layers) {
    const kind = layerOf(spec);
    const output = kind.outputShape(spec, shape);
    if (!output.ok) return err(`${spec.name}: ${output.error}`);
    for (const tensor of kind.tensors(spec, shape)) {
      tensors.push({ ...tensor, name: `${spec.name}/${tensor.name}` });
    }
    shape = output.value;
    if (shape.some((size) => size < 1)) return err(`${spec.name}: nothing is left of its input`);
  }
  return ok(tensors);
}

/** The operations that training needs and that some backends lack. */
export function scarceOpsOf({ layers }: Pick<Chain, "layers">): readonly ScarceOp[] {
  return layers.flatMap((spec) => layerOf(spec).needs);
}

/**
 * The last layer's output, before its activation. Without the noise of training.
 *
 * @param weights  One tensor for each of `tensorShapes`.
 * @param batch    [rows, ...inputShape].
 * @returns [rows, outputCount].
 */
export function forward<Tensor extends object>(
  ops: Ops<Tensor>,
  chain: Pick<Chain, "layers">,
  weights: readonly Tensor[],
  batch: Tensor,
): Tensor {
  return lastOf(trace(ops, chain, weights, batch, null)).output;
}

/**
 * The loss of a batch and its gradient.
 *
 * @param weights  One tensor for each of `tensorShapes`.
 * @param batch    [rows, ...inputShape].
 * @param aim      The loss and the rows' targets.
 * @param uniform  Generator of numbers in [0, 1) for layers that are noisy in training. A call goes on where the last one
 *                 stopped, so no batch has the noise of another.
 * @returns `lossSum`, a scalar, the sum over the rows; `gradients` of their mean, one for each tensor.
 */
export function lossGradients<Tensor extends object>(
  ops: Ops<Tensor>,
  chain: Pick<Chain, "layers">,
  weights: readonly Tensor[],
  batch: Tensor,
  { loss, targets, rowWeights }: Aim<Tensor>,
  uniform: () => number,
): { readonly lossSum: Tensor; readonly gradients: readonly Tensor[] } {
  const links = trace(ops, chain, weights, batch, uniform);
  const last = lastOf(links);
  const { sum: lossSum, gradient } = loss.ofBatch(ops, last.output, targets, rowWeights);
  const gradients: Tensor[] = [];
  let flow = gradient;
  for (const link of links.toReversed()) {
    const { spec, kind, names, factors } = link;
    // The loss includes the last activation.
    if (link !== last) flow = activationOf(spec).inputGradient(ops, link.activated, flow);
    if (factors !== null) flow = ops.multiply(flow, factors);
    const byName = kind.weightGradients(ops, spec, link, flow);
    gradients.unshift(...names.map((name) => present(byName[name], `no gradient of ${spec.name}/${name}`)));
    if (link !== links[0]) flow = kind.inputGradient(ops, spec, link, flow);
  }
  return { lossSum, gradients };
}

/** One layer's part of a forward pass. */
interface Link<Tensor> extends Pass<Tensor> {
  readonly spec: LayerSpec;
  readonly kind: Layer;
  /** Names of its weights, in their order. */
  readonly names: readonly string[];
  /** The noise that the output was multiplied by; null if there is none. */
  readonly factors: Tensor | null;
  /** The output after the activation, which the last layer leaves to the loss. */
  readonly activated: Tensor;
}

function trace<Tensor extends object>(
  ops: Ops<Tensor>,
  { layers }: Pick<Chain, "layers">,
  tensors: readonly Tensor[],
  batch: Tensor,
  uniform: (() => number) | null,
): readonly Link<Tensor>[] {
  const links: Link<Tensor>[] = [];
  let input = batch;
  let used = 0;
  for (const [index, spec] of layers.entries()) {
    const kind = layerOf(spec);
    const names = kind.tensors(spec, ops.shapeOf(input).slice(1)).map(({ name }) => name);
    const own = tensors.slice(used, used + names.length);
    used += names.length;
    const weights = (name: string) => present(own[names.indexOf(name)], `no tensor ${spec.name}/${name}`);
    const clean = kind.forward(ops, spec, input, weights);
    const factors = uniform === null ? null : noiseOf(ops, spec, kind, ops.shapeOf(clean), uniform);
    const output = factors === null ? clean : ops.multiply(clean, factors);
    const activated = index < layers.length - 1 ? activationOf(spec).forward(ops, output) : output;
    links.push({ spec, kind, names, input, output, weights, factors, activated });
    input = activated;
  }
  assert(used === tensors.length, `a model of ${used} tensors was given ${tensors.length}`);
  return links;
}

function noiseOf<Tensor extends object>(
  ops: Ops<Tensor>,
  spec: LayerSpec,
  kind: Layer,
  shape: Shape,
  uniform: () => number,
): Tensor | null {
  if (kind.noise === undefined) return null;
  const factors = new Float32Array(elementCount(shape));
  for (let index = 0; index < factors.length; index++) factors[index] = kind.noise(spec, uniform);
  return ops.constant(factors, shape);
}

function lastOf<Tensor>(links: readonly Link<Tensor>[]): Link<Tensor> {
  return present(links.at(-1), "a model has layers");
}
