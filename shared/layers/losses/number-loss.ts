import { z } from "zod";
import { type Loss, weighted } from "./loss.ts";

/** The loss of a model that gives a number, in scaled units. */
export const numberLossSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("squared") }),
  /** Squared up to `delta`, linear beyond it, so that a few rows that are far off count less. */
  z.strictObject({ kind: z.literal("huber"), delta: z.number().gt(0).max(1_000) }),
]);
export type NumberLoss = z.output<typeof numberLossSchema>;

const numbers: Pick<Loss, "writeTarget" | "answer"> = {
  writeTarget(label, target) {
    target[0] = label;
  },
  answer: (outputs) => Float32Array.from(outputs),
};

/** (o - label)^2. */
export const squared: Loss = {
  ...numbers,
  ofBatch(ops, outputs, targets, rowWeights) {
    const error = ops.subtract(outputs, targets);
    const [rows = 0] = ops.shapeOf(outputs);
    return {
      sum: ops.sum(weighted(ops, ops.square(error), rowWeights), [0, 1]),
      gradient: ops.multiply(weighted(ops, error, rowWeights), 2 / rows),
    };
  },
  ofRow: ([output = Number.NaN], label) => (output - label) ** 2,
};

/**
 * e^2 / 2 up to |e| = delta, then delta (|e| - delta / 2), for the error e = o - label.
 *
 * Source: Huber 1964, Robust Estimation of a Location Parameter.
 */
export const huber = (delta: number): Loss => ({
  ...numbers,
  ofBatch(ops, outputs, targets, rowWeights) {
    const error = ops.subtract(outputs, targets);
    const [rows = 0] = ops.shapeOf(outputs);
    // The error cut to +-delta, c. The loss is c (e - c / 2) on either side, and its derivative c.
    const above = ops.relu(ops.subtract(error, delta));
    const below = ops.relu(ops.subtract(ops.negate(error), delta));
    const cut = ops.add(ops.subtract(error, above), below);
    const loss = ops.multiply(cut, ops.subtract(error, ops.multiply(cut, 0.5)));
    return {
      sum: ops.sum(weighted(ops, loss, rowWeights), [0, 1]),
      gradient: ops.divide(weighted(ops, cut, rowWeights), rows),
    };
  },
  ofRow([output = Number.NaN], label) {
    const error = Math.abs(output - label);
    return error <= delta ? error ** 2 / 2 : delta * (error - delta / 2);
  },
});
