/*
 * A dense network with one hidden layer, written by hand in double precision: the oracle of the engine's tests. It
 * shares no code with the engine.
 */

export interface TinyNet {
  readonly inputs: number;
  readonly hidden: number;
  readonly classes: number;
  readonly activation: "relu" | "tanh";
}

/** Flat, in the engine's order: kernel [inputs, hidden], bias, kernel [hidden, classes], bias. */
export function forwardByHand(net: TinyNet, weights: readonly number[], row: readonly number[]) {
  const { inputs, hidden, classes } = net;
  const at = (index: number) => weights[index] ?? Number.NaN;
  const before = Array.from({ length: hidden }, (_, unit) => {
    let sum = at(inputs * hidden + unit);
    for (let input = 0; input < inputs; input++) sum += (row[input] ?? 0) * at(input * hidden + unit);
    return sum;
  });
  const after = before.map((value) => (net.activation === "relu" ? Math.max(0, value) : Math.tanh(value)));
  const second = inputs * hidden + hidden;
  const logits = Array.from({ length: classes }, (_, unit) => {
    let sum = at(second + hidden * classes + unit);
    for (let input = 0; input < hidden; input++)
      sum += (after[input] ?? 0) * at(second + input * classes + unit);
    return sum;
  });
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return { before, after, logits, probabilities: logits.map((logit) => Math.exp(logit) / total) };
}

export function lossByHand(
  net: TinyNet,
  weights: readonly number[],
  row: readonly number[],
  label: number,
): number {
  return -Math.log(forwardByHand(net, weights, row).probabilities[label] ?? Number.NaN);
}

/** Gradient of the mean loss over the rows. */
export function gradientByHand(
  net: TinyNet,
  weights: readonly number[],
  rows: readonly (readonly number[])[],
  labels: readonly number[],
): number[] {
  const { inputs, hidden, classes } = net;
  const gradient = weights.map(() => 0);
  const add = (index: number, value: number) => {
    gradient[index] = (gradient[index] ?? 0) + value / rows.length;
  };
  const second = inputs * hidden + hidden;
  for (const [rowIndex, row] of rows.entries()) {
    const { before, after, probabilities } = forwardByHand(net, weights, row);
    const dLogits = probabilities.map(
      (probability, unit) => probability - (unit === labels[rowIndex] ? 1 : 0),
    );
    for (let unit = 0; unit < classes; unit++) {
      add(second + hidden * classes + unit, dLogits[unit] ?? 0);
      for (let input = 0; input < hidden; input++) {
        add(second + input * classes + unit, (after[input] ?? 0) * (dLogits[unit] ?? 0));
      }
    }
    for (let unit = 0; unit < hidden; unit++) {
      let flow = 0;
      for (let output = 0; output < classes; output++) {
        flow += (dLogits[output] ?? 0) * (weights[second + unit * classes + output] ?? 0);
      }
      const slope =
        net.activation === "relu" ? ((before[unit] ?? 0) > 0 ? 1 : 0) : 1 - (after[unit] ?? 0) ** 2;
      add(inputs * hidden + unit, flow * slope);
      for (let input = 0; input < inputs; input++)
        add(input * hidden + unit, flow * slope * (row[input] ?? 0));
    }
  }
  return gradient;
}
