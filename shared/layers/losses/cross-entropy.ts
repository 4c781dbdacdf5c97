import { type Loss, weighted } from "./loss.ts";

/**
 * -log softmax(outputs)[label], in nats. Each output stands for a class, and a label is the index of a class.
 *
 * Source of the gradient, softmax - one-hot: Bishop 2006, Pattern Recognition and Machine Learning, equation 4.109.
 */
export const crossEntropy: Loss = {
  writeTarget(label, target) {
    target[label] = 1;
  },
  ofBatch(ops, outputs, targets, rowWeights) {
    const logProbabilities = ops.logSoftmax(outputs);
    const [rows = 0] = ops.shapeOf(outputs);
    return {
      sum: ops.negate(ops.sum(weighted(ops, ops.multiply(targets, logProbabilities), rowWeights), [0, 1])),
      gradient: ops.divide(weighted(ops, ops.subtract(ops.exp(logProbabilities), targets), rowWeights), rows),
    };
  },
  ofRow(outputs, label) {
    const largest = largestOf(outputs);
    let sum = 0;
    for (const output of outputs) sum += Math.exp(output - largest);
    return Math.log(sum) + largest - (outputs[label] as number);
  },
  answer(outputs) {
    const largest = largestOf(outputs);
    const exponentials = Float64Array.from(outputs, (output) => Math.exp(output - largest));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    return Float32Array.from(exponentials, (value) => value / total);
  },
};

/** The largest output, subtracted so that the exponential cannot overflow. NaN if the first output is NaN. */
function largestOf(outputs: Float32Array): number {
  let largest = outputs[0] as number;
  for (let index = 1; index < outputs.length; index++) {
    if ((outputs[index] as number) > largest) largest = outputs[index] as number;
  }
  return largest;
}
