import { activation } from "./activation.ts";

export const relu = activation({
  name: "relu",
  forward: (ops, input) => ops.relu(input),
  inputGradient: (ops, output, flow) => ops.multiply(flow, ops.step(output)),
});
