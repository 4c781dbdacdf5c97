import "@tensorflow/tfjs-backend-cpu";
import * as layers from "@tensorflow/tfjs-layers";
import { describe, expect, test } from "vitest";
import { LAYERS } from "#shared/layers/list.ts";
import { importModel } from "#shared/model/import-topology.ts";
import { READABLE_LAYERS } from "#shared/model/layer-config.ts";

const THREE = { classCount: 3 };
const dense = (config: object, name = "out") => ({ class_name: "Dense", config: { name, ...config } });
const OUT = dense({ units: 3, activation: "softmax" });
const sequential = (...written: object[]) => ({
  class_name: "Sequential",
  config: { name: "m", layers: written },
});
const read = (document: unknown, inputShape: readonly number[] = [4]) =>
  importModel(typeof document === "string" ? document : JSON.stringify(document), inputShape, THREE);
const faultsOf = (document: unknown, inputShape?: readonly number[]) => {
  const imported = read(document, inputShape);
  return imported.ok ? [] : imported.error.map(({ sentence }) => sentence);
};
const layerNames = (document: unknown, inputShape?: readonly number[]) => {
  const imported = read(document, inputShape);
  return imported.ok ? imported.value.model.layers.map(({ className }) => className) : imported.error;
};

test("[T7] reads every layer that a task may have", () => {
  expect(new Set(READABLE_LAYERS)).toEqual(new Set(LAYERS.map(({ schema }) => schema.shape.className.value)));
});

describe("[T7] each way to write a model", () => {
  const functional = (() => {
    const input = layers.input({ shape: [4] });
    const hidden = layers.layers.dense({ units: 5, activation: "relu", name: "hidden" }).apply(input);
    const out = layers.layers
      .dense({ units: 3, activation: "softmax", name: "out" })
      .apply(hidden as layers.SymbolicTensor);
    return layers.model({ inputs: input, outputs: out as layers.SymbolicTensor });
  })();
  const keras3 = {
    class_name: "Functional",
    config: {
      layers: [
        {
          class_name: "InputLayer",
          config: { batch_shape: [null, 4], name: "in" },
          name: "in",
          inbound_nodes: [],
        },
        {
          ...OUT,
          name: "out",
          config: {
            ...OUT.config,
            dtype: { class_name: "DTypePolicy", config: { name: "float32" }, module: "keras" },
            kernel_initializer: { class_name: "GlorotUniform", config: { seed: null } },
            quantization_config: null,
          },
          inbound_nodes: [
            {
              args: [{ class_name: "__keras_tensor__", config: { keras_history: ["in", 0, 0] } }],
              kwargs: {},
            },
          ],
        },
      ],
    },
  };
  test.each<[string, unknown, number]>([
    ["toJSON of a functional chain", functional.toJSON(null, false), 2],
    ["the text that toJSON gives, printed again", JSON.stringify(functional.toJSON()), 2],
    ["model.json", { format: "layers-model", modelTopology: sequential(OUT), weightsManifest: [{}] }, 1],
    ["model.json of the Keras converter", { modelTopology: { model_config: sequential(OUT) } }, 1],
    ["a Sequential of old Keras, whose config is a list", { class_name: "Sequential", config: [OUT] }, 1],
    ["Keras 3", keras3, 1],
    [
      "camel case",
      {
        className: "Sequential",
        config: {
          layers: [{ className: "Dense", config: { units: 3, activation: "softmax", useBias: true } }],
        },
      },
      1,
    ],
  ])("%s", (_, document, count) => {
    const imported = read(document);
    expect(imported).toMatchObject({ ok: true });
    expect(imported.ok && imported.value.model.layers).toHaveLength(count);
  });

  test("weights that come with it are named as not taken", () => {
    const imported = read({ modelTopology: sequential(OUT), weightsManifest: [{}] });
    expect(imported.ok && imported.value.notes.join()).toContain("trained weights are not taken");
  });
});

describe("[T7] what is not taken is named, with the layer and what would work", () => {
  const conv = (config: object) =>
    sequential(
      { class_name: "Conv2D", config: { name: "edges", filters: 2, kernel_size: [3, 3], ...config } },
      { class_name: "Flatten", config: { name: "flat" } },
      OUT,
    );
  const PICTURE = [8, 8, 1];
  test.each<[string, unknown, readonly number[], string]>([
    [
      "batch normalization",
      sequential({ class_name: "BatchNormalization", config: { name: "norm" } }, OUT),
      [4],
      "“norm”: BatchNormalization is not taken: its running means and variances are statistics of a device’s own rows, so they would leave the device, and they diverge between devices whose data differ. Use LayerNormalization, which looks at one row at a time, or leave it out.",
    ],
    [
      "padding",
      sequential(
        { class_name: "Conv1D", config: { name: "c", filters: 2, kernel_size: [3], padding: "causal" } },
        { class_name: "Flatten", config: { name: "f" } },
        OUT,
      ),
      [9, 2],
      "“c”: padding “causal” is not taken, use valid or same.",
    ],
    [
      "dilation",
      conv({ dilation_rate: [2, 2] }),
      PICTURE,
      "“edges”: dilation_rate [2, 2] is not taken, use 1.",
    ],
    [
      "windows that are not square",
      conv({ kernel_size: [3, 5] }),
      PICTURE,
      "“edges”: kernel_size [3, 5] is not taken, use the same number twice.",
    ],
    [
      "channels first",
      conv({ data_format: "channels_first" }),
      PICTURE,
      "“edges”: data_format “channels_first” is not taken, use “channels_last”.",
    ],
    [
      "regularizers",
      sequential(
        dense({ units: 3, activation: "softmax", kernel_regularizer: { class_name: "L2", config: {} } }),
      ),
      [4],
      "“out”: a regularizer is not taken: leave it out, and use Dropout, or proximalMu in the rules.",
    ],
    [
      "constraints",
      sequential(dense({ units: 3, activation: "softmax", kernel_constraint: { class_name: "MaxNorm" } })),
      [4],
      "“out”: a constraint on weights is not taken: leave it out, since the clip bounds each update.",
    ],
    [
      "another dtype",
      sequential(dense({ units: 3, activation: "softmax", dtype: "float16" })),
      [4],
      "“out”: dtype “float16” is not taken, use float32.",
    ],
    [
      "no bias",
      sequential(dense({ units: 3, activation: "softmax", use_bias: false })),
      [4],
      "“out”: use_bias false is not taken, use true.",
    ],
    [
      "frozen layers",
      sequential(dense({ units: 3, activation: "softmax", trainable: false })),
      [4],
      "“out”: trainable false is not taken: every layer trains, use true.",
    ],
    [
      "another activation",
      sequential(dense({ units: 3, activation: "selu" })),
      [4],
      "“out”: activation “selu” is not on the list, use linear, relu, tanh, sigmoid or softmax.",
    ],
    [
      "pooling with padding",
      sequential(
        { class_name: "MaxPooling2D", config: { name: "p", padding: "same" } },
        { class_name: "Flatten", config: {} },
        OUT,
      ),
      PICTURE,
      "“p”: padding “same” is not taken, use valid.",
    ],
    [
      "normalization of another axis",
      sequential(
        { class_name: "LayerNormalization", config: { name: "n", axis: [1] } },
        { class_name: "Flatten", config: {} },
        OUT,
      ),
      PICTURE,
      "“n”: axis [1] is not taken, use -1.",
    ],
    [
      "unknown settings",
      sequential(dense({ units: 3, activation: "softmax", lora_rank: 4 })),
      [4],
      "“out”: the setting “lorarank” 4 is not taken: leave it out.",
    ],
    [
      "a model inside",
      sequential({ class_name: "Sequential", config: { name: "inner", layers: [] } }, OUT),
      [4],
      "“inner”: a model inside a model is not taken: put its layers here one after the other.",
    ],
    [
      "another input",
      sequential({ class_name: "InputLayer", config: { name: "in", batch_input_shape: [null, 7] } }, OUT),
      [4],
      "“in” takes [7], but the task’s rows are [4]. Build the model with that input shape.",
    ],
    ["a chain that does not fit", sequential(OUT), PICTURE, "“out”: put a Flatten layer before it."],
    [
      "another last layer",
      sequential(dense({ units: 4, activation: "softmax" })),
      [4],
      "The last layer must be a Dense softmax with one unit a class.",
    ],
    [
      "an activation without a layer",
      sequential({ class_name: "ReLU", config: { name: "r" } }, OUT),
      [4],
      "“r”: an activation must follow a layer that has weights and no activation of its own.",
    ],
    [
      "a leaky ReLU",
      sequential(
        dense({ units: 2 }, "h"),
        { class_name: "ReLU", config: { name: "r", negative_slope: 0.1 } },
        OUT,
      ),
      [4],
      "“r”: a limit or slope is not taken, use a plain ReLU.",
    ],
  ])("%s", (_, document, inputShape, sentence) => {
    expect(faultsOf(document, inputShape)).toEqual([sentence]);
  });

  test("all faults at once, each with its layer", () => {
    const document = sequential(
      { class_name: "LSTM", config: { name: "memory", units: 4 } },
      dense({ units: 5, use_bias: false }, "hidden"),
      dense({ units: 3, activation: "softmax" }),
    );
    const imported = read(document);
    expect(imported.ok ? [] : imported.error.map(({ layer }) => layer)).toEqual(["memory", "hidden"]);
  });

  test("a branch, by the layer with two inputs and by the layer that feeds two", () => {
    const input = layers.input({ shape: [4], name: "in" });
    const left = layers.layers.dense({ units: 2, name: "left" }).apply(input) as layers.SymbolicTensor;
    const right = layers.layers.dense({ units: 2, name: "right" }).apply(input) as layers.SymbolicTensor;
    const sum = layers.layers.add({ name: "sum" }).apply([left, right]) as layers.SymbolicTensor;
    const model = layers.model({ inputs: input, outputs: sum });
    expect(faultsOf(model.toJSON(null, false))).toEqual([
      "“in” feeds “left” and “right”. Only one chain of layers is taken: leave branches out.",
    ]);
  });
});

describe("[T7] what has a place here is put there, and said", () => {
  test("activation layers become the activation of the layer before them", () => {
    const imported = read(
      sequential(
        dense({ units: 5 }, "hidden"),
        { class_name: "Activation", config: { name: "act", activation: "tanh" } },
        dense({ units: 3 }),
        { class_name: "Softmax", config: { name: "soft", axis: -1 } },
      ),
    );
    expect(imported).toMatchObject({
      ok: true,
      value: {
        model: { layers: [{ activation: "tanh" }, { activation: "softmax" }] },
        notes: ["“act” became the activation of “hidden”.", "“soft” became the activation of “out”."],
      },
    });
  });

  test("a flat model of pictures gets a Flatten layer", () => {
    const flat = sequential({ ...OUT, config: { ...OUT.config, batch_input_shape: [null, 64] } });
    expect(layerNames(flat, [8, 8, 1])).toEqual(["Flatten", "Dense"]);
  });

  test("names become those of a task, and differ", () => {
    const imported = read(
      sequential(dense({ units: 5 }, "Dense Layer/1"), dense({ units: 5 }, "dense layer/1"), OUT),
    );
    expect(imported.ok && imported.value.model.layers.map(({ name }) => name)).toEqual([
      "dense_layer_1",
      "dense_layer_1_2",
      "out",
    ]);
  });
});

describe("[T7] hostile text", () => {
  const nested = `${'{"config":'.repeat(5_000)}1${"}".repeat(5_000)}`;
  test.each<[string, string]>([
    ["empty", " "],
    ["code", "model = keras.Sequential([])"],
    ["no JSON", "{class_name: 1}"],
    ["no model", '{"a":1}'],
    ["a prototype", '{"class_name":"Sequential","config":{"__proto__":{"layers":[]}}}'],
    ["a constructor", '{"constructor":{"class_name":"Sequential"}}'],
    ["an equal key", '{"class_name":"Sequential","class_name":"Model","config":{"layers":[]}}'],
    ["deep", nested],
    ["deep inside a text", JSON.stringify(nested)],
    ["long", `"${"x".repeat(1_000_001)}"`],
    ["many values", `[${"1,".repeat(60_000)}1]`],
    ["many layers", JSON.stringify(sequential(...Array.from({ length: 1_001 }, () => OUT)))],
    ["null", "null"],
    ["a graph model", '{"format":"graph-model","modelTopology":{"node":[]}}'],
    ["a layer without a class", JSON.stringify(sequential({ config: {} }))],
    ["numbers that are none", JSON.stringify(sequential(dense({ units: "3", activation: "softmax" })))],
    ["sizes without end", JSON.stringify(sequential(dense({ units: 1e300 }, "h"), OUT))],
    ["a class called toString", JSON.stringify(sequential({ class_name: "toString", config: {} }, OUT))],
    [
      "an activation called toString",
      JSON.stringify(sequential(dense({ units: 3, activation: "toString" }))),
    ],
  ])("%s is refused in a sentence", (_, text) => {
    const faults = faultsOf(text);
    expect(faults.length).toBeGreaterThan(0);
    for (const sentence of faults) {
      expect(sentence).toMatch(/^[A-Z“].*\.$/);
      expect(sentence.length).toBeLessThan(600);
    }
  });

  test("a functional model whose layers feed one another in a circle", () => {
    const node = (name: string, from: string) => ({
      ...OUT,
      name,
      config: { ...OUT.config, name },
      inbound_nodes: [[[from, 0, 0, {}]]],
    });
    const circle = { class_name: "Model", config: { layers: [node("a", "b"), node("b", "a")] } };
    expect(faultsOf(circle)).toEqual(["The layers are not connected to one chain."]);
  });
});
