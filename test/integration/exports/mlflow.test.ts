import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { mlflowFolder } from "#shared/export/mlflow-folder.ts";
import { exportOnnx } from "#shared/export/onnx/export-onnx.ts";
import {
  BUNDLED,
  bundledCase,
  type ExportCase,
  expectEngineAnswers,
  type FormatAnswers,
} from "#test/kit/exports/cases.ts";
import { pythonWith, runPython } from "#test/kit/exports/python.ts";
import { runViewOf } from "#test/kit/web-views.ts";
import { exportSnippets } from "#web/words/exports.ts";

/* Exports in the hands of the Python tools that they are made for. */

const PACKAGES = ["mlflow-skinny==3.17.2", "pandas>=3", "onnxruntime>=1.18", "scipy"];
const python = await pythonWith(PACKAGES);
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

describe.skipIf(python === null)("with the official client", () => {
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
