import { describe, expect, test } from "vitest";
import { exportOnnx } from "#shared/export/onnx/export-onnx.ts";
import { scale } from "#shared/task/scaling.ts";
import {
  BUNDLED,
  bundledCase,
  everyColumnCase,
  expectEngineAnswers,
  modelCase,
} from "#test/kit/exports/cases.ts";
import { runOnnx } from "#test/kit/exports/run-onnx.ts";
import { convolutional, depthwise, series } from "../engine/nets.ts";

describe("a model as ONNX", () => {
  test.each(BUNDLED)(
    "[M1] of %s answers as the engine does, from the data as people have them",
    async (name) => {
      const example = bundledCase(name);
      await expectEngineAnswers(example, await runOnnx(exportOnnx(example.source), example));
    },
  );

  test.each(["classes", "number"] as const)(
    "[M1] takes every kind of column, and gives NaN and no label for what a device refuses (%s)",
    async (answer) => {
      const example = everyColumnCase(answer);
      const bytes = exportOnnx(example.source);
      await expectEngineAnswers(example, await runOnnx(bytes, example));
      const { values, labels } = await runOnnx(bytes, { ...example, rows: example.refused });
      expect(values.every(Number.isNaN)).toBe(true);
      expect(values.length).toBe(example.refused.length * (answer === "classes" ? 3 : 1));
      expect(labels).toEqual(answer === "classes" ? example.refused.map(() => "") : null);
    },
  );

  test("[M1] series of channels with different scalings, and a pixel outside the range", async () => {
    const example = modelCase("series", series);
    const { features } = example.source.task;
    if (features.kind !== "series") throw new Error("a series");
    const scalings = [{ kind: "log1p" }, { kind: "standard", mean: 0.5, deviation: 2 }] as const;
    const channels = features.channels.map((channel, index) => ({
      ...channel,
      scaling: scalings[index % 2] ?? scalings[0],
    }));
    const scaled = example.rows.flatMap((row) =>
      (row as readonly number[]).map((value, index) =>
        scale(channels[index % 2] ?? { range: [0, 1] }, value),
      ),
    );
    const own = {
      ...example,
      source: { ...example.source, task: { ...example.source.task, features: { ...features, channels } } },
      dataset: { ...example.dataset, inputs: Float32Array.from(scaled) },
    };
    await expectEngineAnswers(own, await runOnnx(exportOnnx(own.source), own));
    const digits = bundledCase("digits");
    const { values } = await runOnnx(exportOnnx(digits.source), {
      ...digits,
      rows: [Array.from({ length: 64 }, () => 17)],
    });
    expect(values.every(Number.isNaN)).toBe(true);
  });

  test.each([
    ["convolutions", convolutional],
    ["layers of series", series],
    ["layers channel by channel", depthwise],
  ])("[M1] with %s answers as the engine does", async (name, model) => {
    const example = modelCase(name, model);
    await expectEngineAnswers(example, await runOnnx(exportOnnx(example.source), example));
  });
});
