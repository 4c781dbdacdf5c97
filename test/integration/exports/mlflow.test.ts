import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { mlflowFolder } from "#shared/export/mlflow-folder.ts";
import { exportOnnx } from "#shared/export/onnx/export-onnx.ts";
import {
  BUNDLED,
  bundledCase,
  type ExportCase,
  expectEngineAnswers,
  type FormatAnswers,
} from "#test/kit/exports/cases.ts";
import { MLFLOW_PACKAGES, pythonWith, runPython } from "#test/kit/exports/python.ts";
import { runOnnx } from "#test/kit/exports/run-onnx.ts";
import { runViewOf } from "#test/kit/web-views.ts";
import { freePort, until } from "#test/kit/worlds/coordinator-process.ts";
import { exportSnippets } from "#web/words/exports.ts";

/* Exports in the hands of the Python tools that they are made for. */

const python = await pythonWith(MLFLOW_PACKAGES);
const folder = mkdtempSync(join(tmpdir(), "chorus-exports-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Loads the folder, predicts the rows and the input example, and prints what came as JSON. */
const PREDICT = `
import json, warnings
warnings.filterwarnings("ignore")
import mlflow, numpy as np, pandas as pd
rows = json.load(open("rows.json"))
model = mlflow.pyfunc.load_model("model")
if isinstance(rows[0], dict):
    table = pd.DataFrame(rows)
    numbers = table.select_dtypes("number").columns
    answers = model.predict(table.astype({name: float for name in numbers}))
    labels = list(answers["label"]) if "label" in answers else None
    values = answers.drop(columns="label", errors="ignore").to_numpy().reshape(-1)
else:
    shape = [-1, *json.load(open("shape.json"))]
    answers = model.predict(np.array(rows, np.float32).reshape(shape))
    labels = list(answers["label"]) if "label" in answers else None
    values = np.asarray(answers["probabilities"] if "probabilities" in answers else answers["prediction"]).reshape(-1)
names = [one["name"] for one in model.metadata.signature.inputs.to_dict()]
example = model.predict(model.input_example)
print(json.dumps({"values": [float(one) for one in values], "labels": labels, "names": names, "example": len(example)}))
`;

/** Prints the probabilities or numbers of all rows, row after row, as JSON. */
const RUN_ONNX = `
import json, numpy as np, onnxruntime
session = onnxruntime.InferenceSession("model.onnx")
rows = json.load(open("rows.json"))
feeds = {}
for one in session.get_inputs():
    if isinstance(rows[0], dict):
        cells = [row[one.name] for row in rows]
        feeds[one.name] = np.array([str(cell) for cell in cells], object) if "string" in one.type else np.array([np.nan if cell is None else cell for cell in cells], np.float32)
    else:
        feeds[one.name] = np.array(rows, np.float32).reshape([-1, *one.shape[1:]])
names = [one.name for one in session.get_outputs() if "float" in one.type]
values = session.run(names, feeds)
print(json.dumps([float(one) for one in np.stack([np.asarray(one).reshape(len(rows), -1) for one in values], 1).reshape(-1)]))
`;

const servedSchema = z.object({
  predictions: z.array(
    z.object({ label: z.string(), probability_no: z.number(), probability_yes: z.number() }),
  ),
});

/** `mlflow models serve` over a folder, on this machine alone. */
async function serveModel(client: string, own: string) {
  const port = await freePort();
  const bin = dirname(client);
  const options = ["--model-uri", "model", "--port", String(port), "--env-manager", "local"];
  const server = spawn(join(bin, "mlflow"), ["models", "serve", ...options], {
    cwd: own,
    // It starts uvicorn by its name, and that as a process of its own, which ends with the group.
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
    detached: true,
    stdio: "ignore",
  });
  const ended = once(server, "exit");
  await once(server, "spawn");
  const group = -(server.pid ?? Number.NaN);
  const url = `http://127.0.0.1:${port}`;
  return {
    ready: () =>
      until("mlflow models serve", 60_000, async () => {
        if (server.exitCode !== null) throw new Error(`mlflow ended with ${server.exitCode}`);
        return (await fetch(`${url}/ping`).catch(() => null))?.ok;
      }),
    predict: async (rows: readonly unknown[]): Promise<unknown> => {
      const response = await fetch(`${url}/invocations`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ dataframe_records: rows }),
      });
      return response.json();
    },
    close: async () => {
      if (server.exitCode === null) process.kill(group, "SIGTERM");
      await ended;
    },
  };
}

describe.skipIf(python === null)("with the official client", () => {
  test("[M6] mlflow models serve answers for hmda over HTTP as the engine does", async () => {
    const example = bundledCase("hmda");
    const own = join(folder, "hmda-served");
    writeFolder(join(own, "model"), example);
    const server = await serveModel(python ?? "", own);
    try {
      await server.ready();
      const { predictions } = servedSchema.parse(await server.predict(example.rows));
      await expectEngineAnswers(example, {
        values: predictions.flatMap((row) => [row.probability_no, row.probability_yes]),
        labels: predictions.map(({ label }) => label),
      });
      const [first] = predictions;
      expect(await server.predict(example.rows.slice(0, 1))).toEqual({ predictions: [first] });
      // It knows the columns that the task has.
      const refused = {
        error_code: "INVALID_PARAMETER_VALUE",
        message: expect.stringContaining("missing inputs"),
      };
      expect(await server.predict([{ no_such_column: 1 }])).toMatchObject(refused);
    } finally {
      await server.close();
    }
  }, 120_000);

  test.each(BUNDLED)("[M8] onnxruntime in Python gives the same for %s in 8 bits", async (name) => {
    const example = bundledCase(name);
    const own = join(folder, `${name}-int8`);
    mkdirSync(own, { recursive: true });
    const bytes = exportOnnx(example.source, { precision: "int8" });
    writeFileSync(join(own, "model.onnx"), bytes);
    writeFileSync(join(own, "rows.json"), JSON.stringify(example.rows));
    const printed = JSON.parse(await runPython(python ?? "", RUN_ONNX, own)) as number[];
    const { values } = await runOnnx(bytes, example);
    expect(printed.length).toBe(values.length);
    const errors = values.map((value, index) => {
      const other = printed[index] ?? Number.NaN;
      return Math.abs(value - other) / Math.max(1, Math.abs(value));
    });
    // Roundings of the two builds may differ by one step of the input's range here and there.
    expect(Math.max(...errors)).toBeLessThan(0.01);
  });

  test.each(BUNDLED)("[M6] the MLflow folder of %s predicts as the engine does", async (name) => {
    const example = bundledCase(name);
    const own = join(folder, name);
    writeFolder(join(own, "model"), example);
    writeFileSync(join(own, "rows.json"), JSON.stringify(example.rows));
    writeFileSync(join(own, "shape.json"), JSON.stringify(example.source.task.model.inputShape));
    const printed = JSON.parse((await runPython(python ?? "", PREDICT, own)).trim().split("\n").at(-1) ?? "");
    await expectEngineAnswers(example, printed as FormatAnswers);
    const [row] = example.rows;
    if (typeof row === "object" && !Array.isArray(row)) expect(printed.names).toEqual(Object.keys(row ?? {}));
    expect(printed.example).toBeGreaterThan(0);
  });

  test.each(["hmda", "digits", "cps1998", "pen-digits"] as const)(
    "the lines of Python that the run's page shows for %s work as they stand",
    async (name) => {
      const { source } = bundledCase(name);
      const run = runViewOf({ task: name, number: 1, newestVersion: 3 });
      const own = join(folder, `${name}-lines`);
      mkdirSync(own, { recursive: true });
      writeFileSync(join(own, `${name}-run1-round3.onnx`), exportOnnx(source));
      const printed = await runPython(python ?? "", exportSnippets(run, source.task.features).python, own);
      expect(printed).toMatch(/^\[.+\]\n$/);
    },
  );
});

function writeFolder(own: string, { source }: ExportCase): void {
  for (const [name, bytes] of mlflowFolder(source)) {
    mkdirSync(dirname(join(own, name)), { recursive: true });
    writeFileSync(join(own, name), bytes);
  }
}
