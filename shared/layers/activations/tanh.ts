import { activation } from "./activation.ts";

export const tanh = activation({
  name: "tanh",
  forward: (ops, input) => ops.tanh(input),
  inputGradient: (ops, output, flow) => ops.multiply(flow, ops.subtract(1, ops.square(output))),
});
