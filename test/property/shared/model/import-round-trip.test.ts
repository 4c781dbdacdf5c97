import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { tfjsOps } from "#shared/engine/ops.ts";
import { forward } from "#shared/layers/chain.ts";
import { LAYERS } from "#shared/layers/list.ts";
import { type LayerSpec, layerOf, layerSpecSchema } from "#shared/layers/table.ts";
import { answerFields, answerLayer } from "#shared/model/answer.ts";
import { importModel } from "#shared/model/import-topology.ts";
import { type ModelSpec, modelSchema } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { referenceModel } from "#test/kit/reference-model.ts";

const activation = fc.constantFrom("linear", "relu", "tanh", "sigmoid", "softmax");
const small = (most: number) => fc.integer({ min: 1, max: most });
const padding = fc.constantFrom("valid", "same");
const pool = { poolSize: small(3), strides: small(3) };
const conv = { kernelSize: small(4), strides: small(2), padding, activation };
const fieldsByClass: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  Flatten: {},
  Dense: { units: small(6), activation },
  Conv1D: { filters: small(4), ...conv },
  Conv2D: { filters: small(4), ...conv },
  DepthwiseConv2D: { depthMultiplier: small(3), ...conv },
  MaxPooling1D: pool,
  MaxPooling2D: pool,
  AveragePooling1D: pool,
  AveragePooling2D: pool,
  GlobalAveragePooling1D: {},
  GlobalAveragePooling2D: {},
  LayerNormalization: { epsilon: fc.constantFrom(1e-3, 1e-5) },
  Dropout: { rate: fc.constantFrom(0.1, 0.5) },
};
const layer = fc.oneof(
  ...LAYERS.map(({ schema }) => {
    const className = schema.shape.className.value;
    return fc.record({ className: fc.constant(className), ...fieldsByClass[className] });
  }),
);

/** Any chain of layers that fits its input: those that do not fit are left out. */
const anyModel = fc
  .record({
    inputShape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
    wanted: fc.array(layer, { maxLength: 7 }),
    classCount: fc.integer({ min: 3, max: 5 }),
  })
  .map(({ inputShape, wanted, classCount }): ModelSpec => {
    const layers: LayerSpec[] = [];
    let shape: readonly number[] = inputShape;
    const add = (fields: object) => {
      const spec = layerSpecSchema.parse({ ...fields, name: `layer_${layers.length + 1}` });
      const output = layerOf(spec).outputShape(spec, shape);
      if (!output.ok || output.value.some((size) => size < 1)) return;
      // tf.layers flattens only what has two axes.
      if (spec.className === "Flatten" && shape.length === 1) return;
      layers.push(spec);
      shape = output.value;
    };
    for (const fields of wanted) add(fields);
    add({ className: "Flatten" });
    add(answerLayer({ classCount }));
    return modelSchema.parse({ format: "tfjs-layers", inputShape, ...answerFields({ classCount }), layers });
  });

beforeAll(async () => {
  await tf.setBackend("cpu");
});

test("[T7] what tf.layers writes of a model is read as the same model, which answers the same", () => {
  fc.assert(
    fc.property(anyModel, fc.boolean(), (model, asText) => {
      const reference = referenceModel(model);
      const topology: unknown = reference.toJSON(null, false);
      const text = asText
        ? JSON.stringify(JSON.stringify(topology))
        : JSON.stringify({ format: "layers-model", modelTopology: topology, weightsManifest: [] });
      const imported = importModel(text, model.inputShape, { classCount: model.classCount ?? null });
      if (!imported.ok) throw new Error(JSON.stringify(imported.error));
      expect(imported.value.model).toEqual(model);

      const next = seededUniform(3);
      const shape = [2, ...model.inputShape];
      const batch = tf.tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * next() - 1),
        shape,
      );
      const expected = (reference.predict(batch) as tf.Tensor).dataSync();
      const weights = reference.getWeights();
      const actual = tf.tidy(() =>
        tf.softmax(forward(tfjsOps, imported.value.model, weights, batch)).dataSync(),
      );
      actual.forEach((value, index) => {
        expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4);
      });
      reference.dispose();
    }),
    { numRuns: 150 },
  );
});

test("[T7] the models of that test have layers of every kind", () => {
  const models = fc.sample(anyModel, { seed: 1, numRuns: 600 });
  const seen = new Set(models.flatMap(({ layers }) => layers.map(({ className }) => className)));
  expect(seen).toEqual(new Set(Object.keys(fieldsByClass)));
});
