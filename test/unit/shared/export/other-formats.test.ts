import "@tensorflow/tfjs-backend-cpu";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { describe, expect, test } from "vitest";
import { decodeSafetensors } from "#shared/codec/safetensors.ts";
import { predictorFile } from "#shared/export/javascript/predictor-file.ts";
import { safetensorsFile } from "#shared/export/safetensors-file.ts";
import { tfjsFolder } from "#shared/export/tfjs-folder.ts";
import { modelTensors } from "#shared/task/model.ts";
import { unscale } from "#shared/task/scaling.ts";
import { targetOf } from "#shared/task/target.ts";
import {
  BUNDLED,
  bundledCase,
  type ExportCase,
  everyColumnCase,
  expectEngineAnswers,
  type FormatAnswers,
  modelCase,
} from "#test/kit/exports/cases.ts";
import { runViewOf } from "#test/kit/web-views.ts";
import { exportSnippets } from "#web/words/exports.ts";
import { convolutional, depthwise, series } from "../engine/nets.ts";

const MODELS = [
  ["convolutions", convolutional],
  ["layers of series", series],
  ["layers channel by channel", depthwise],
] as const;
const CASES: readonly (readonly [string, () => ExportCase])[] = [
  ...BUNDLED.map((name) => [name, () => bundledCase(name)] as const),
  ...MODELS.map(([name, model]) => [name, () => modelCase(name, model)] as const),
];

describe.each(CASES)("a model of %s", (_, open) => {
  const example = open();

  test("[M4] as a tfjs folder is read by tfjs and answers as the engine does", async () => {
    await expectEngineAnswers(example, await runTfjs(example));
  });

  test("[M5] as a JavaScript file answers as the engine does, without anything else", async () => {
    await expectEngineAnswers(example, await runPredictor(example));
  });

  test("[M3] as safetensors has its weights and what is needed to use them", () => {
    const { source } = example;
    const read = decodeSafetensors(safetensorsFile(source));
    if (!read.ok) throw new Error(read.error.type);
    const { tensors, metadata } = read.value;
    for (const { name, offset, length, shape } of modelTensors(source.task.model).tensors) {
      expect(tensors.get(name)).toEqual({ shape, data: source.weights.slice(offset, offset + length) });
    }
    expect(JSON.parse(metadata["features"] ?? "")).toEqual(source.task.features);
    expect(JSON.parse(metadata["architecture"] ?? "")).toEqual(source.task.model);
    expect(metadata).toMatchObject(source.metadata);
  });
});

/** The official reader of such folders, on the numbers that a model takes. */
async function runTfjs({ source, dataset }: ExportCase): Promise<FormatAnswers> {
  await tf.setBackend("cpu");
  const files = tfjsFolder(source);
  const document = JSON.parse(new TextDecoder().decode(files.get("model.json")));
  const weights = files.get("group1-shard1of1.bin");
  const model = await loadLayersModel({
    load: async () => ({
      modelTopology: document.modelTopology,
      weightSpecs: document.weightsManifest[0].weights,
      weightData: weights?.buffer ?? new ArrayBuffer(0),
    }),
  });
  const shape = [dataset.count, ...source.task.model.inputShape];
  const outputs = Array.from(await (model.predict(tf.tensor(dataset.inputs, shape)) as tf.Tensor).data());
  const target = targetOf(source.task.features);
  if (target.kind === "number")
    return { values: outputs.map((value) => unscale(target, value)), labels: null };
  const isOneOutput = outputs.length === dataset.count;
  return { values: isOneOutput ? outputs.flatMap((p) => [1 - p, p]) : outputs, labels: null };
}

const runtime = readFileSync(
  new URL("../../../../shared/export/javascript/runtime.mjs", import.meta.url),
  "utf8",
);

interface Predictor {
  predict(row: unknown): {
    readonly label?: string;
    readonly probabilities?: Record<string, number>;
    readonly prediction?: number;
  };
}

async function loadPredictor({ source }: ExportCase): Promise<Predictor> {
  const text = Buffer.from(predictorFile(source, runtime)).toString("base64");
  return import(`data:text/javascript;base64,${text}`);
}

async function runPredictor(example: ExportCase): Promise<FormatAnswers> {
  const { predict } = await loadPredictor(example);
  const answers = example.rows.map(predict);
  const target = targetOf(example.source.task.features);
  if (target.kind === "number")
    return { values: answers.map(({ prediction = Number.NaN }) => prediction), labels: null };
  return {
    values: answers.flatMap(({ probabilities = {} }) =>
      target.classes.map((name) => probabilities[name] ?? Number.NaN),
    ),
    labels: answers.map(({ label }) => label),
  };
}

describe("[M5] a JavaScript file", () => {
  test.each([
    ["hmda", {}, "pirat must be a number"],
    ["hmda", null, "a row must be an object of its columns"],
    ["tumours", { radius: 1e9 }, "radius must lie between"],
    ["digits", [1, 2, 3], "needs 64 numbers, not 3"],
    ["digits", Array.from({ length: 64 }, () => 99), "a pixel must lie between 0 and 16"],
  ] as const)("of %s refuses %j: %s", async (name, row, sentence) => {
    const { predict } = await loadPredictor(bundledCase(name));
    expect(() => predict(row)).toThrow(TypeError);
    expect(() => predict(row)).toThrow(sentence);
  });

  test.each(["classes", "number"] as const)(
    "takes every kind of column, and refuses what a device refuses (%s)",
    async (answer) => {
      const example = everyColumnCase(answer);
      await expectEngineAnswers(example, await runPredictor(example));
      const { predict } = await loadPredictor(example);
      for (const row of example.refused) expect(() => predict(row), JSON.stringify(row)).toThrow(TypeError);
    },
  );

  test.each([...BUNDLED])("the lines that the run's page shows for %s work as they stand", async (name) => {
    const { source } = bundledCase(name);
    const folder = mkdtempSync(join(tmpdir(), "chorus-lines-"));
    try {
      const run = runViewOf({ task: name, number: 1, newestVersion: 3 });
      writeFileSync(join(folder, `${name}-run1-round3.mjs`), predictorFile(source, runtime));
      writeFileSync(join(folder, "lines.mjs"), exportSnippets(run, source.task.features).javascript);
      const printed = execFileSync(process.execPath, ["lines.mjs"], { cwd: folder, encoding: "utf8" });
      expect(printed).toMatch(source.task.features.classes === undefined ? /^[\d.]+ \S/ : /^\S+ \{/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("ends no script that it is pasted into", () => {
    const { source } = bundledCase("digits");
    const text = new TextDecoder().decode(
      predictorFile({ ...source, about: "</script><script>alert(1)" }, runtime),
    );
    expect(text).not.toContain("</script>");
  });
});
