import { unzipSync } from "fflate";
import { afterAll, describe, expect, test } from "vitest";
import { openExporter } from "#coordinator/adapters/exporter.ts";
import { decodeSafetensors } from "#shared/codec/safetensors.ts";
import { EXPORT_FILES, EXPORT_FORMATS, type ExportFormat } from "#shared/export/formats.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { modelTensors } from "#shared/task/model.ts";
import { expectEngineAnswers } from "#test/kit/exports/cases.ts";
import { runOnnx } from "#test/kit/exports/run-onnx.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* Models of a run in other formats, as the coordinator hands them out. */

const exporter = openExporter();
afterAll(() => exporter.close());

async function exported(federation: Federation, runId: string, format: ExportFormat) {
  const made = await federation.coordinator.exports.ofRun(runId, format);
  if (!made.ok) throw new Error(made.error.message);
  return made.value;
}

describe("a run's newest model", () => {
  test("[M1] [M7] leaves as ONNX, which answers as the engine does", async () => {
    const federation = await Federation.create({ devices: 4, ports: { exporter } });
    federation.connectAll();
    const runId = await federation.launch(2);
    const run = await federation.ended(runId);
    const { fileName, bytes } = await exported(federation, runId, "onnx");
    expect(fileName).toBe(`${federation.task.slug}-run1-round2.onnx`);
    const numbers = Array.from({ length: 20 }, (_, row) =>
      ["a", "b", "c", "d"].map((__, x) => (((row + 1) * (x + 2)) % 8) / 8),
    );
    const example = {
      source: {
        name: "small",
        about: "",
        task: federation.task,
        weights: federation.weights(run.modelHash ?? ""),
        metadata: {},
      },
      rows: numbers.map(([a = 0, b = 0, c = 0, d = 0]) => ({ a, b, c, d })),
      dataset: { inputs: Float32Array.from(numbers.flat()), labels: new Float32Array(20), count: 20 },
    };
    await expectEngineAnswers(example, await runOnnx(bytes, example));
  });

  test("[M2] [M7] leaves in every format, with where it comes from, and the same bytes each time", async () => {
    const federation = await Federation.create({ devices: 4, ports: { exporter } });
    federation.connectAll();
    const runId = await federation.launch(1);
    const run = await federation.ended(runId);
    for (const format of EXPORT_FORMATS) {
      const made = await exported(federation, runId, format);
      expect(made.fileName).toBe(`${federation.task.slug}-run1-round1${EXPORT_FILES[format].ending}`);
      expect((await exported(federation, runId, format)).bytes).toEqual(made.bytes);
      expect(textIn(format, made.bytes)).toContain(run.modelHash);
      expect(textIn(format, made.bytes)).toContain(runId);
    }
    const file = decodeSafetensors((await exported(federation, runId, "safetensors")).bytes);
    if (!file.ok) throw new Error(file.error.type);
    const point = run.history.find(({ round }) => round === 1);
    const accuracy = point?.measures["accuracy"];
    expect(file.value.metadata).toMatchObject({
      task: federation.task.slug,
      round: "1",
      accuracy: `${accuracy?.value} ± ${accuracy?.halfWidth95} (${accuracy?.count} rows)`,
    });
    expect(file.value.tensors.size).toBe(modelTensors(federation.task.model).tensors.length);
  });

  test("[M7] is none before the first round has committed, and none of an unknown run", async () => {
    const federation = await Federation.create({ devices: 4, ports: { exporter } });
    const runId = await federation.launch(1);
    const { exports } = federation.coordinator;
    expect(await exports.ofRun(runId, "onnx")).toMatchObject({
      ok: false,
      error: { code: "NOT_FOUND", message: expect.stringContaining("No round of this run has committed") },
    });
    expect(await exports.ofRun("0".repeat(32), "onnx")).toMatchObject({
      ok: false,
      error: { code: "NOT_FOUND" },
    });
    expect(await exports.ofRound("0".repeat(32), "onnx")).toMatchObject({
      ok: false,
      error: { code: "NOT_FOUND" },
    });
  });

  test("[M7] a round's model is that round's, not the newest", async () => {
    const federation = await Federation.create({ devices: 4, ports: { exporter } });
    federation.connectAll();
    const runId = await federation.launch(2);
    await federation.ended(runId);
    const [first] = await federation.rounds(runId);
    const made = await federation.coordinator.exports.ofRound(first?.roundId ?? "", "safetensors");
    if (!made.ok) throw new Error(made.error.message);
    expect(made.value.fileName).toContain("-run1-round1.");
    const file = decodeSafetensors(made.value.bytes);
    if (!file.ok) throw new Error(file.error.type);
    expect(file.value.metadata["model_sha256"]).toBe(first?.modelHash);
  });
});

/** The parts of a file that are text. */
function textIn(format: ExportFormat, bytes: Bytes): string {
  const files =
    EXPORT_FILES[format].mediaType === "application/zip" ? Object.values(unzipSync(bytes)) : [bytes];
  return files.map((file) => Buffer.from(file).toString("latin1")).join("\n");
}
