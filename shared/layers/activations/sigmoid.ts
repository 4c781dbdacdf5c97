import { activation } from "./activation.ts";

export const sigmoid = activation({
  name: "sigmoid",
  forward: (ops, input) => ops.sigmoid(input),
  inputGradient: (ops, output, flow) => ops.multiply(flow, ops.multiply(output, ops.subtract(1, output))),
});
