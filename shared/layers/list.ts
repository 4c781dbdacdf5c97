import { conv1d } from "./conv1d.ts";
import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { depthwiseConv2d } from "./depthwise-conv2d.ts";
import { dropout } from "./dropout.ts";
import { flatten } from "./flatten.ts";
import { globalAveragePooling1d, globalAveragePooling2d } from "./global-average-pooling.ts";
import { layerNormalization } from "./layer-normalization.ts";
import { averagePooling1d, averagePooling2d, maxPooling1d, maxPooling2d } from "./pooling.ts";

/**
 * The layers that a task may use. This is an allow-list: configHash pins the architecture, and no layer belongs here that
 * could carry one person's row through the sum (PROTOCOL.md section 13), or that computes one row from others.
 */
export const LAYERS = [
  flatten,
  dense,
  conv2d,
  maxPooling2d,
  conv1d,
  depthwiseConv2d,
  averagePooling2d,
  maxPooling1d,
  averagePooling1d,
  globalAveragePooling1d,
  globalAveragePooling2d,
  layerNormalization,
  dropout,
] as const;
