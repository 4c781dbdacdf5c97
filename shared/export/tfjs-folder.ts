import { canonicalJson, type Json } from "../codec/canonical-json.ts";
import { floatsToBytes } from "../codec/vector-bytes.ts";
import { type Bytes, utf8 } from "../kernel/bytes.ts";
import type { LayerSpec } from "../layers/table.ts";
import { type ModelSpec, modelTensors } from "../task/model.ts";
import type { ModelSource } from "./source.ts";

/*
 * A tfjs LayersModel: `model.json` with the topology as Keras writes it, and one file of weights. It takes the numbers that the
 * model takes, so `userDefinedMetadata` has the task's features, whose ranges and categories make those numbers of a row.
 * Source: the format of tf.LayersModel.save, https://www.tensorflow.org/js/guide/save_load.
 */

const WEIGHTS_FILE = "group1-shard1of1.bin";

/** Its files by name. */
export function tfjsFolder({ name, task, weights, metadata }: ModelSource): ReadonlyMap<string, Bytes> {
  const { model, features } = task;
  const document: Json = {
    format: "layers-model",
    generatedBy: "Chorus",
    convertedBy: null,
    modelTopology: {
      class_name: "Sequential",
      config: { name, layers: model.layers.map((spec, index) => kerasLayer(model, spec, index)) },
      keras_version: "2.13.0",
      backend: "tensorflow",
    },
    weightsManifest: [
      {
        paths: [WEIGHTS_FILE],
        weights: modelTensors(model).tensors.map(({ name: tensor, shape }) => ({
          name: kerasName(model, tensor),
          shape,
          dtype: "float32",
        })),
      },
    ],
    userDefinedMetadata: { ...metadata, features: features as Json },
  };
  return new Map([
    ["model.json", utf8(canonicalJson(document))],
    [WEIGHTS_FILE, floatsToBytes(Float32Array.from(weights))],
  ]);
}

function kerasLayer({ inputShape }: ModelSpec, spec: LayerSpec, index: number): Json {
  const { className, ...fields } = spec;
  const config = Object.entries(fields).flatMap(([name, value]) => kerasFields(className, name, value));
  return {
    class_name: className,
    config: {
      ...Object.fromEntries(config),
      ...(index === 0 && { batch_input_shape: [null, ...inputShape], dtype: "float32" }),
    },
  };
}

/** Keras has another name for the kernels of convolutions channel by channel. */
function kerasName({ layers }: ModelSpec, tensor: string): string {
  const isDepthwise = layers.some(
    ({ className, name }) => className === "DepthwiseConv2D" && tensor === `${name}/kernel`,
  );
  return isDepthwise ? tensor.replace(/kernel$/, "depthwise_kernel") : tensor;
}

/** A window of one number counts for each axis of the layer. */
function kerasFields(className: string, name: string, value: string | number): [string, Json][] {
  const key = name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  const isWindow = ["kernel_size", "pool_size", "strides"].includes(key);
  if (!isWindow) return [[key, value]];
  const axes = className.endsWith("1D") ? 1 : 2;
  return [[key, Array.from({ length: axes }, () => value)]];
}
