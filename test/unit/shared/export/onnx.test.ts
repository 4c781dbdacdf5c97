import { describe, test } from "vitest";
import { exportOnnx } from "#shared/export/onnx/export-onnx.ts";
import { BUNDLED, bundledCase, expectEngineAnswers, modelCase } from "#test/kit/exports/cases.ts";
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

  test.each([
    ["convolutions", convolutional],
    ["layers of series", series],
    ["layers channel by channel", depthwise],
  ])("[M1] with %s answers as the engine does", async (name, model) => {
    const example = modelCase(name, model);
    await expectEngineAnswers(example, await runOnnx(exportOnnx(example.source), example));
  });
});
