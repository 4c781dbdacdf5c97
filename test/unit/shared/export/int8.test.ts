import { describe, expect, test } from "vitest";
import { openEngine } from "#shared/engine/engine.ts";
import { exportOnnx, onnxModel } from "#shared/export/onnx/export-onnx.ts";
import {
  BUNDLED,
  bundledCase,
  type ExportCase,
  everyColumnCase,
  modelCase,
} from "#test/kit/exports/cases.ts";
import { runOnnx } from "#test/kit/exports/run-onnx.ts";
import { convolutional, depthwise, series } from "../engine/nets.ts";

const engine = openEngine({ wasmPaths: null });

/** The largest error of the quantized model, as a part of what its answers span. */
async function errorOf(example: ExportCase): Promise<number> {
  await engine.use("cpu", false);
  const { task, weights } = example.source;
  const wanted = await engine.answers(task, weights, example.dataset);
  const bytes = exportOnnx(example.source, { precision: "int8" });
  const { values } = await runOnnx(bytes, example);
  expect(values.length).toBe(wanted.length);
  const span = Math.max(...wanted) - Math.min(...wanted);
  return Math.max(...wanted.map((value, index) => Math.abs(value - (values[index] ?? Number.NaN)))) / span;
}

describe("a model in 8 bits", () => {
  test.each(BUNDLED)("[M8] of %s answers nearly as the engine does", async (name) => {
    const error = await errorOf(bundledCase(name));
    // Below the first it would not be quantized at all.
    expect(error).toBeGreaterThan(1e-6);
    expect(error).toBeLessThan(0.08);
  });

  test.each([
    ["convolutions", convolutional],
    ["depthwise convolutions", depthwise],
    ["series", series],
  ])("[M8] of %s answers nearly as the engine does", async (name, model) => {
    expect(await errorOf(modelCase(name, model))).toBeLessThan(0.08);
  });

  test("[M8] is a graph of integer products, and smaller", () => {
    const { source } = bundledCase("digits");
    const { nodes } = onnxModel(source, { precision: "int8" });
    const ops = nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === "MatMulInteger")).toHaveLength(2);
    expect(ops.filter((op) => op === "DynamicQuantizeLinear")).toHaveLength(2);
    expect(ops).not.toContain("MatMul");
    expect(exportOnnx(source, { precision: "int8" }).length).toBeLessThan(0.6 * exportOnnx(source).length);
  });

  test("[M8] a row that a device refuses is NaN, and does not spoil the rows beside it", async () => {
    const example = everyColumnCase("classes");
    const bytes = exportOnnx(example.source, { precision: "int8" });
    const alone = await runOnnx(bytes, example);
    const mixed = await runOnnx(bytes, { ...example, rows: [...example.rows, ...example.refused] });
    expect(mixed.values.slice(0, alone.values.length)).toEqual(alone.values);
    expect(mixed.values.slice(alone.values.length).every(Number.isNaN)).toBe(true);
    expect(mixed.labels?.slice(example.rows.length)).toEqual(example.refused.map(() => ""));
  });

  test("[M2] [M8] is the same each time, also if all weights are 0", async () => {
    const example = bundledCase("digits");
    expect(exportOnnx(example.source, { precision: "int8" })).toEqual(
      exportOnnx(example.source, { precision: "int8" }),
    );
    const zeros = { ...example.source, weights: example.source.weights.map(() => 0) };
    const { values } = await runOnnx(exportOnnx(zeros, { precision: "int8" }), example);
    expect(values.every((value) => Math.abs(value - 0.1) < 1e-6)).toBe(true);
  });
});
