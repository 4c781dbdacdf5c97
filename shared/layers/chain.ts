import { assert, present } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { TensorSpec } from "./initializer.ts";
import type { Layer, Pass } from "./layer.ts";
import { lossOf } from "./losses/table.ts";
import type { Ops, ScarceOp, Shape } from "./ops.ts";
import { activationOf, type LayerSpec, layerOf } from "./table.ts";

/*
 * A model as a chain of layers: its tensors, its forward pass and its gradient. The chain rule over a chain is short, so no
 * engine needs a tape of its own.
 */

export interface Chain {
  /** Without the batch axis. */
  readonly inputShape: Shape;
  readonly layers: readonly LayerSpec[];
}

/**
 * The trainable tensors, `layer/kernel` before `layer/bias`, in the order of the layers; this is the order of the flat weight
 * vector.
 *
 * Errors: the layer that cannot take its input, and why.
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

/** The operations of its training that not every backend has. */
export function scarceOpsOf({ layers }: Pick<Chain, "layers">): readonly ScarceOp[] {
  return layers.flatMap((spec) => layerOf(spec).needs);
}

/**
 * The last layer's output, before its activation.
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
  return lastOf(trace(ops, chain, weights, batch)).output;
}

/**
 * The loss of a batch and its gradient.
 *
 * @param weights  One tensor for each of `tensorShapes`.
 * @param batch    [rows, ...inputShape].
 * @param targets  [rows, outputCount], as the loss of the model writes them.
 * @returns `lossSum`, a scalar: the sum over the rows; `gradients` of their mean, one for each weight.
 */
export function lossGradients<Tensor extends object>(
  ops: Ops<Tensor>,
  chain: Pick<Chain, "layers">,
  weights: readonly Tensor[],
  batch: Tensor,
  targets: Tensor,
): { readonly lossSum: Tensor; readonly gradients: readonly Tensor[] } {
  const links = trace(ops, chain, weights, batch);
  const last = lastOf(links);
  const { sum: lossSum, gradient } = lossOf(chain).ofBatch(ops, last.output, targets);
  const gradients: Tensor[] = [];
  let flow = gradient;
  for (const link of links.toReversed()) {
    const { spec, kind, names } = link;
    // The loss has gone through the last activation itself.
    if (link !== last) flow = activationOf(spec).inputGradient(ops, link.activated, flow);
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
  /** Of its weights, in their order. */
  readonly names: readonly string[];
  /** The output after the activation. The last layer's activation is the loss's, so it is not applied. */
  readonly activated: Tensor;
}

function trace<Tensor extends object>(
  ops: Ops<Tensor>,
  { layers }: Pick<Chain, "layers">,
  tensors: readonly Tensor[],
  batch: Tensor,
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
    const output = kind.forward(ops, spec, input, weights);
    const activated = index < layers.length - 1 ? activationOf(spec).forward(ops, output) : output;
    links.push({ spec, kind, names, input, output, weights, activated });
    input = activated;
  }
  assert(used === tensors.length, `a model of ${used} tensors was given ${tensors.length}`);
  return links;
}

function lastOf<Tensor>(links: readonly Link<Tensor>[]): Link<Tensor> {
  return present(links.at(-1), "a model has layers");
}
