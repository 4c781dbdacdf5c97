import { unzipSync } from "fflate";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { afterAll, describe, expect, test } from "vitest";
import { openExporter } from "#coordinator/adapters/exporter.ts";
import { zipStream } from "#coordinator/adapters/zip-stream.ts";
import { EXPORT_FORMATS } from "#shared/export/formats.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { roundDetailSchema, runViewSchema } from "#shared/protocol/api.ts";
import { taskSchema } from "#shared/task/task.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* A run's figures as tables, and the whole run as an archive. */

const exporter = openExporter();
afterAll(() => exporter.close());

async function trained(rounds: number) {
  const federation = await Federation.create({ devices: 4, ports: { exporter } });
  federation.connectAll();
  const run = await federation.ended(await federation.launch(rounds));
  return { federation, run };
}

async function figures(federation: Federation, runId: string, format: "csv" | "parquet") {
  const made = await federation.coordinator.runFiles.figures(runId, format);
  assert(made.ok, "a table");
  return made.value;
}

describe("[M20] a run's figures", () => {
  test("are those of its page, one row per model, place and measure, as CSV and as Parquet", async () => {
    const { federation, run } = await trained(3);
    const parquet = await figures(federation, run.runId, "parquet");
    expect(parquet.fileName).toBe(`${federation.task.slug}-run1-figures.parquet`);
    const file = parquet.bytes.buffer as ArrayBuffer;
    const rows = await parquetReadObjects({ file });
    const accuracy = (round: number, place: string) =>
      rows.filter(
        (row) => row["round"] === round && row["measured_on"] === place && row["measure"] === "accuracy",
      );
    for (const { round, measures } of run.history) {
      const { value, halfWidth95, count } = present(measures["accuracy"], "an accuracy");
      expect(accuracy(round, "held-out")).toEqual([
        expect.objectContaining({ value, half_width_95: halfWidth95, row_count: count, unit: "share" }),
      ]);
    }
    const rounds = await federation.rounds(run.runId);
    for (const { round, version, modelHash, endedAt, deviceMeasures } of rounds) {
      const [row] = accuracy(round, "devices-trained");
      expect(row).toMatchObject({
        version,
        model_sha256: modelHash,
        value: deviceMeasures.after["accuracy"]?.value,
      });
      expect(row?.["made_at"]).toEqual(new Date(endedAt ?? ""));
    }
    expect(accuracy(1, "devices")[0]?.["value"]).toBe(rounds[1]?.deviceMeasures.before["accuracy"]?.value);
    // The last model has not been opened by any device yet.
    expect(accuracy(3, "devices")).toEqual([]);
    const { schema } = await parquetMetadataAsync(file);
    expect(schema.slice(1).map(({ name, type }) => [name, type])).toContainEqual(["round", "INT32"]);
    const csv = new TextDecoder().decode((await figures(federation, run.runId, "csv")).bytes);
    const [header, ...lines] = csv.trimEnd().split("\r\n");
    expect(header).toBe(
      schema
        .slice(1)
        .map(({ name }) => name)
        .join(","),
    );
    expect(lines).toHaveLength(rows.length);
    const first = run.history[0]?.measures["accuracy"];
    expect(lines[0]).toMatch(
      new RegExp(`^0,,,held-out,accuracy,${first?.value},${first?.halfWidth95},share,${first?.count},`),
    );
  });

  test("are a table without rows before the first; of no run there are none", async () => {
    const federation = await Federation.create({ devices: 4, ports: { exporter } });
    const runId = await federation.launch(1);
    const { bytes } = await figures(federation, runId, "parquet");
    expect(await parquetReadObjects({ file: bytes.buffer as ArrayBuffer })).toEqual([]);
    const nothing = await federation.coordinator.runFiles.figures("00".repeat(16), "csv");
    expect(nothing).toMatchObject({ error: { code: "NOT_FOUND" } });
  });
});

async function archive({ coordinator }: Federation, runId: string) {
  const made = await coordinator.runFiles.runArchive(runId);
  assert(made.ok, "an archive");
  const bytes = new Uint8Array(await new Response(zipStream(made.value.files)).arrayBuffer());
  return { name: made.value.name, bytes, files: unzipSync(bytes) };
}
const json = (bytes: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(bytes));

describe("[M21] the archive of a run", () => {
  test("has its plan, figures, events, each round and its model in every format, the same each time", async () => {
    const { federation, run } = await trained(2);
    const { name, bytes, files } = await archive(federation, run.runId);
    expect(name).toBe(`${federation.task.slug}-run1`);
    expect(runViewSchema.parse(json(files["run.json"]))).toEqual(run);
    expect(taskSchema.parse(json(files["task.json"]))).toEqual(federation.task);
    expect(roundDetailSchema.parse(json(files["rounds/00002.json"])).modelHash).toBe(run.modelHash);
    expect(JSON.stringify(json(files["events.json"]))).toContain("run.launched");
    expect(files["figures.csv"]).toEqual(new Uint8Array((await figures(federation, run.runId, "csv")).bytes));
    const models = Object.keys(files).filter((path) => path.startsWith("model/"));
    expect(models).toHaveLength(EXPORT_FORMATS.length);
    for (const device of federation.devices)
      for (const content of Object.values(files))
        expect(new TextDecoder("latin1").decode(content)).not.toContain(device.identity);
    expect((await archive(federation, run.runId)).bytes).toEqual(bytes);
  });

  test("has no model before the first round, and whoever stops reading stops its making", async () => {
    const federation = await Federation.create({ devices: 4, ports: { exporter } });
    const runId = await federation.launch(1);
    const { files } = await archive(federation, runId);
    expect(Object.keys(files).filter((path) => /^(model|rounds)\//.test(path))).toEqual([]);
    let made = 0;
    async function* endless() {
      for (;;) yield [`file${made++}`, new Uint8Array(200_000)] as const;
    }
    const reader = zipStream(endless()).getReader();
    await reader.read();
    await reader.cancel();
    const before = made;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([made, made < 20]).toEqual([before, true]);
  });

  test("leaves the thread to others while a large file is packed, and stores weights as they are", async () => {
    let turns = 0;
    const turn = setInterval(() => turns++, 0);
    const text = new Uint8Array(1_000_000).map((_, at) => (at * at) % 97);
    async function* large() {
      yield ["rounds/00001.json", text] as const;
      yield ["model/small.onnx", text] as const;
    }
    const zip = new Uint8Array(await new Response(zipStream(large())).arrayBuffer());
    clearInterval(turn);
    expect(turns).toBeGreaterThan(4);
    const sizes: Record<string, number> = {};
    const files = unzipSync(zip, {
      filter: ({ name, size, originalSize }) => {
        sizes[name] = size / originalSize;
        return true;
      },
    });
    expect(sizes["model/small.onnx"]).toBe(1);
    expect(sizes["rounds/00001.json"]).toBeLessThan(0.5);
    expect(files["model/small.onnx"]).toEqual(text);
    expect(files["rounds/00001.json"]).toEqual(text);
  });

  test("fails for its reader if a file cannot be made", async () => {
    async function* broken() {
      yield ["a", new Uint8Array(3)] as const;
      throw new Error("the disk is gone");
    }
    await expect(new Response(zipStream(broken())).arrayBuffer()).rejects.toThrow();
  });
});
