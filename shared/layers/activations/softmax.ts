import { activation } from "./activation.ts";

export const softmax = activation({
  name: "softmax",
  forward: (ops, input) => ops.softmax(input),
  inputGradient: (ops, output, flow) =>
    ops.multiply(output, ops.subtract(flow, ops.sumLastAxis(ops.multiply(flow, output)))),
});
