import { activation } from "./activation.ts";

export const linear = activation({
  name: "linear",
  forward: (_, input) => input,
  inputGradient: (_, __, flow) => flow,
});
