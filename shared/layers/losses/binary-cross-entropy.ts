import { type Loss, weighted } from "./loss.ts";

/**
 * The cross-entropy of two classes with one output o, in nats: log(1 + exp(o)) - label * o. The output is the log odds of
 * the second class.
 *
 * Source of the gradient, sigmoid - label: Bishop 2006, Pattern Recognition and Machine Learning, equation 4.91.
 */
export const binaryCrossEntropy: Loss = {
  writeTarget(label, target) {
    target[0] = label;
  },
  ofBatch(ops, outputs, targets, rowWeights) {
    const [rows = 0] = ops.shapeOf(outputs);
    // Two outputs, 0 and o, have the softmax that one has as sigmoid, and a logarithm that cannot overflow.
    const two = (column: typeof outputs, signs: readonly number[]) =>
      ops.matMul(column, ops.constant(Float32Array.from(signs), [1, 2]));
    const logProbabilities = ops.logSoftmax(two(outputs, [0, 1]));
    const oneHot = ops.add(two(targets, [-1, 1]), ops.constant(Float32Array.of(1, 0), [1, 2]));
    return {
      sum: ops.negate(ops.sum(weighted(ops, ops.multiply(oneHot, logProbabilities), rowWeights), [0, 1])),
      gradient: ops.divide(weighted(ops, ops.subtract(ops.sigmoid(outputs), targets), rowWeights), rows),
    };
  },
  ofRow: ([output = Number.NaN], label) =>
    Math.max(output, 0) + Math.log1p(Math.exp(-Math.abs(output))) - label * output,
  answer([output = Number.NaN]) {
    // From the smaller side, so that neither probability loses its digits.
    const small = Math.exp(-Math.abs(output)) / (1 + Math.exp(-Math.abs(output)));
    return output > 0 ? Float32Array.of(small, 1 - small) : Float32Array.of(1 - small, small);
  },
};
