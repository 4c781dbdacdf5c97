import { linear } from "./linear.ts";
import { relu } from "./relu.ts";
import { sigmoid } from "./sigmoid.ts";
import { softmax } from "./softmax.ts";
import { tanh } from "./tanh.ts";

/** The activations that a layer may name. */
export const ACTIVATIONS = [linear, relu, tanh, sigmoid, softmax] as const;
