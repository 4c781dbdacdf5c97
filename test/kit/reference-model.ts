import * as layers from "@tensorflow/tfjs-layers";
import type { ModelSpec } from "#shared/task/model.ts";

/** The same model made with tf.layers, with weights of its own: the oracle of layers and of the import. */
export function referenceModel(spec: ModelSpec): layers.Sequential {
  const reference = layers.sequential();
  for (const [index, layer] of spec.layers.entries()) {
    const shape = index === 0 ? { inputShape: spec.inputShape } : {};
    const { className, ...config } = layer;
    const make = {
      Dense: layers.layers.dense,
      Conv1D: layers.layers.conv1d,
      Conv2D: layers.layers.conv2d,
      DepthwiseConv2D: layers.layers.depthwiseConv2d,
      Flatten: layers.layers.flatten,
      Dropout: layers.layers.dropout,
      LayerNormalization: layers.layers.layerNormalization,
      MaxPooling1D: layers.layers.maxPooling1d,
      MaxPooling2D: layers.layers.maxPooling2d,
      AveragePooling1D: layers.layers.averagePooling1d,
      AveragePooling2D: layers.layers.averagePooling2d,
      GlobalAveragePooling1D: layers.layers.globalAveragePooling1d,
      GlobalAveragePooling2D: layers.layers.globalAveragePooling2d,
    }[className];
    reference.add((make as (config: object) => layers.layers.Layer)({ ...config, ...shape }));
  }
  return reference;
}
