import type { Loss } from "./loss.ts";

/**
 * -log softmax(outputs)[label], in nats. An output is a class, a label the index of one.
 *
 * Source of the gradient, softmax - one-hot: Bishop 2006, Pattern Recognition and Machine Learning, equation 4.109.
 */
export const crossEntropy: Loss = {
  name: "cross-entropy",
  activation: "softmax",
  writeTarget(label, target) {
    target[label] = 1;
  },
  ofBatch(ops, outputs, targets) {
    const logProbabilities = ops.logSoftmax(outputs);
    const [rows = 0] = ops.shapeOf(outputs);
    return {
      sum: ops.negate(ops.sum(ops.multiply(targets, logProbabilities), [0, 1])),
      gradient: ops.divide(ops.subtract(ops.exp(logProbabilities), targets), rows),
    };
  },
  ofRow(outputs, label) {
    const largest = largestOf(outputs);
    let sum = 0;
    for (const output of outputs) sum += Math.exp(output - largest);
    return Math.log(sum) + largest - (outputs[label] as number);
  },
  // Every class is as likely as any other.
  ofZeros: (outputCount) => Math.log(outputCount),
  answer(outputs) {
    const largest = largestOf(outputs);
    const exponentials = Float64Array.from(outputs, (output) => Math.exp(output - largest));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    return Float32Array.from(exponentials, (value) => value / total);
  },
};

/** Subtracted before the exponential, so that it cannot overflow. NaN if the first output is. */
function largestOf(outputs: Float32Array): number {
  let largest = outputs[0] as number;
  for (let index = 1; index < outputs.length; index++) {
    if ((outputs[index] as number) > largest) largest = outputs[index] as number;
  }
  return largest;
}
