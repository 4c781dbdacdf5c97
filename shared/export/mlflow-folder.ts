import { type Bytes, utf8 } from "../kernel/bytes.ts";
import type { Features } from "../task/features.ts";
import { exampleCell, inputColumns } from "./example.ts";
import { exportOnnx, onnxOutputs } from "./onnx/export-onnx.ts";
import { onnxInputs } from "./onnx/inputs.ts";
import type { OnnxValueInfo } from "./onnx/message.ts";
import type { ModelSource } from "./source.ts";

/*
 * A model as MLflow keeps one: `mlflow.pyfunc.load_model(FOLDER)` predicts from named, typed columns, and `mlflow models serve`
 * answers over HTTP. Source: the MLflow Model format, https://mlflow.org/docs/latest/ml/model/. YAML files are written as JSON,
 * which YAML includes.
 */

const MODEL_FILE = "model.onnx";
const EXAMPLE_FILE = "input_example.json";
/** The oldest versions that the folder was tried with. */
const PYTHON = "3.11";
const REQUIREMENTS = ["mlflow>=3.0", "onnx>=1.16", "onnxruntime>=1.18", "pandas", "numpy"];

/**
 * Instead of MLflow's own loader, which hands over columns of words as pandas 3 keeps them, and onnxruntime refuses those.
 * A missing word is the empty text, as in a CSV.
 */
const LOADER = `"""Predicts with model.onnx for mlflow.pyfunc."""

import numpy as np
import onnxruntime
import pandas as pd


def _load_pyfunc(path):
    return _Model(path)


def _values(column, is_text):
    if not is_text:
        return np.asarray(column, dtype=np.float32)
    return np.array(["" if pd.isna(word) else str(word) for word in column], dtype=object)


class _Model:
    def __init__(self, path):
        self._session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def predict(self, data, params=None):
        inputs = self._session.get_inputs()
        columns = {inputs[0].name: data} if isinstance(data, np.ndarray) else data
        feeds = {one.name: _values(columns[one.name], one.type == "tensor(string)") for one in inputs}
        names = [one.name for one in self._session.get_outputs()]
        outputs = dict(zip(names, self._session.run(names, feeds)))
        return pd.DataFrame(outputs) if isinstance(data, pd.DataFrame) else outputs
`;

/** Its files by name. */
export function mlflowFolder(source: ModelSource): ReadonlyMap<string, Bytes> {
  const { features } = source.task;
  const isTable = features.kind === "tabular";
  const document = {
    flavors: {
      onnx: { code: null, data: MODEL_FILE, onnx_version: "1.16.0", providers: ["CPUExecutionProvider"] },
      python_function: {
        code: "code",
        data: MODEL_FILE,
        env: { conda: "conda.yaml", virtualenv: "python_env.yaml" },
        loader_module: "chorus_onnx",
        python_version: PYTHON,
      },
    },
    metadata: source.metadata,
    mlflow_version: "3.0.0",
    saved_input_example_info: isTable
      ? { artifact_path: EXAMPLE_FILE, pandas_orient: "split", type: "dataframe" }
      : { artifact_path: EXAMPLE_FILE, type: "ndarray" },
    signature: {
      inputs: JSON.stringify(
        onnxInputs(features).map((value) => (isTable ? columnOf(value) : tensorOf(value))),
      ),
      outputs: JSON.stringify(
        onnxOutputs(source.task).map((value) => (isTable ? columnOf(value) : tensorOf(value))),
      ),
      params: null,
    },
  };
  const environment = {
    dependencies: [`python=${PYTHON}`, "pip", { pip: REQUIREMENTS }],
    name: "mlflow-env",
  };
  const text = (value: unknown) => utf8(`${JSON.stringify(value, null, 2)}\n`);
  return new Map([
    ["MLmodel", text(document)],
    [MODEL_FILE, exportOnnx(source)],
    [EXAMPLE_FILE, utf8(JSON.stringify(exampleOf(features)))],
    ["code/chorus_onnx.py", utf8(LOADER)],
    ["conda.yaml", text(environment)],
    [
      "python_env.yaml",
      text({ python: PYTHON, build_dependencies: [], dependencies: ["-r requirements.txt"] }),
    ],
    ["requirements.txt", utf8(`${REQUIREMENTS.join("\n")}\n`)],
  ]);
}

/** Numbers are double, as pandas has them; MLflow makes them single. It refuses a column of integers in their place. */
function columnOf({ name, type }: OnnxValueInfo): object {
  return { name, type: type === "string" ? "string" : "double", required: true };
}

function tensorOf({ name, type, dims }: OnnxValueInfo): object {
  const shape = (dims ?? []).map((length) => (typeof length === "number" ? length : -1));
  return { name, type: "tensor", "tensor-spec": { dtype: type === "string" ? "str" : "float32", shape } };
}

/** One row: what the task gives as an example, else the middle of each range and the first of each category. */
function exampleOf(features: Features): object {
  if (features.kind === "tabular") {
    const columns = inputColumns(features);
    return { columns: columns.map(({ name }) => name), data: [columns.map(exampleCell)] };
  }
  if (features.kind === "series") {
    const step = features.channels.map(({ range: [from, to] }) => (from + to) / 2);
    return { series: [Array.from({ length: features.length }, () => step)] };
  }
  const { height, width, channels = 1, range } = features;
  const pixel = Array.from({ length: channels }, () => range[0]);
  const row = Array.from({ length: width }, () => pixel);
  return { pixels: [Array.from({ length: height }, () => row)] };
}
