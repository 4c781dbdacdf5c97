import * as tf from "@tensorflow/tfjs-core";
import { unreachable } from "../kernel/assert.ts";
import type { ModelSpec } from "../task/model.ts";
import { forwardTrace, type LayerTrace } from "./network.ts";

/*
 * The way back through a task's model, layer by layer. A topology is a chain of few kinds of layers, so the chain rule is
 * short, and tfjs' own tape (which takes a registry of all gradients and runs each of its operations twice) is not needed.
 */

/**
 * Loss of a batch and its gradient.
 *
 * @param tensors  As `weightsToTensors` gives them.
 * @param batch    [rows, ...inputShape].
 * @param oneHot   [rows, classCount].
 * @returns `loss`, the sum of the rows' cross-entropies in nats, and the gradient of their mean, one a tensor.
 *          Call it inside tf.tidy.
 */
export function lossGradients(
  model: ModelSpec,
  tensors: readonly tf.Tensor[],
  batch: tf.Tensor,
  oneHot: tf.Tensor2D,
): { readonly loss: tf.Scalar; readonly gradients: readonly tf.Tensor[] } {
  const trace = forwardTrace(model, tensors, batch);
  const logProbabilities = tf.logSoftmax(trace.at(-1)?.output as tf.Tensor2D);
  const loss = tf.neg(tf.sum(tf.mul(oneHot, logProbabilities))) as tf.Scalar;

  const gradients: tf.Tensor[] = [];
  // Of the mean cross-entropy by the logits: (softmax - one-hot) / rows.
  let flow: tf.Tensor = tf.div(tf.sub(tf.exp(logProbabilities), oneHot), batch.shape[0] as number);
  for (let index = trace.length - 1; index >= 0; index--) {
    const part = trace[index] as LayerTrace;
    const isLast = index === trace.length - 1;
    const atLinear = isLast ? flow : beforeActivation(part, flow);
    gradients.unshift(...weightGradients(part, atLinear));
    if (index > 0) flow = toInput(part, atLinear);
  }
  return { loss, gradients };
}

/** Through the activation; every one of them has a derivative in terms of its output. */
function beforeActivation({ layer, output }: LayerTrace, flow: tf.Tensor): tf.Tensor {
  if (!("activation" in layer)) return flow;
  switch (layer.activation) {
    case "linear":
      return flow;
    case "relu":
      return tf.mul(flow, tf.step(output));
    case "tanh":
      return tf.mul(flow, tf.sub(1, tf.square(output)));
    case "sigmoid":
      return tf.mul(flow, tf.mul(output, tf.sub(1, output)));
    case "softmax":
      return tf.mul(output, tf.sub(flow, tf.sum(tf.mul(flow, output), -1, true)));
    default:
      return unreachable(layer.activation);
  }
}

/** Kernel, then bias; none for a layer without weights. */
function weightGradients({ layer, input, kernel }: LayerTrace, flow: tf.Tensor): tf.Tensor[] {
  switch (layer.className) {
    case "Dense":
      return [tf.matMul(input as tf.Tensor2D, flow as tf.Tensor2D, true, false), tf.sum(flow, 0)];
    case "Conv2D": {
      const filterShape = (kernel as tf.Tensor4D).shape;
      const attributes = { strides: layer.strides, pad: layer.padding, dataFormat: "NHWC", filterShape };
      const kernelGradient = runKernel(tf.Conv2DBackpropFilter, { x: input, dy: flow }, attributes);
      return [kernelGradient, tf.sum(flow, [0, 1, 2])];
    }
    case "Flatten":
    case "MaxPooling2D":
      return [];
    default:
      return unreachable(layer);
  }
}

function toInput({ layer, input, output, kernel }: LayerTrace, flow: tf.Tensor): tf.Tensor {
  switch (layer.className) {
    case "Flatten":
      return tf.reshape(flow, input.shape);
    case "Dense":
      return tf.matMul(flow as tf.Tensor2D, kernel as tf.Tensor2D, false, true);
    case "Conv2D": {
      const shape = input.shape as [number, number, number, number];
      return tf.conv2dTranspose(
        flow as tf.Tensor4D,
        kernel as tf.Tensor4D,
        shape,
        layer.strides,
        layer.padding,
      );
    }
    case "MaxPooling2D": {
      const attributes = { filterSize: layer.poolSize, strides: layer.strides, pad: "valid" };
      return runKernel(tf.MaxPoolGrad, { dy: flow, input, output }, attributes);
    }
    default:
      return unreachable(layer);
  }
}

/** Two kernels that tfjs uses for its gradients and exports no operation for. */
function runKernel(name: string, inputs: Readonly<Record<string, tf.Tensor>>, attributes: object): tf.Tensor {
  return tf
    .engine()
    .runKernel(name, inputs as unknown as tf.NamedTensorMap, attributes as tf.NamedAttrMap) as tf.Tensor;
}
