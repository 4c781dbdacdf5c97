import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { MLFLOW_PACKAGES, pythonWith, runPython } from "#test/kit/exports/python.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/* The official client in front of the real doors, with a token. */

const python = await pythonWith(MLFLOW_PACKAGES);
const CALLS = readFileSync(new URL("../../../../kit/mlflow/client-calls.py", import.meta.url), "utf8");

let shell: Shell;
let token: string;
const folder = mkdtempSync(join(tmpdir(), "chorus-mlflow-"));
beforeEach(async () => {
  shell = await openShell();
  const ada = present(shell.asker, "ada asks")();
  shell.asker = null;
  if (ada.kind !== "person") throw new Error("ada is a person");
  const made = await shell.accessDesk.makeApiToken(ada, {
    label: "mlflow",
    scopes: ["read", "runs"],
    days: 1,
  });
  if (!made.ok) throw new Error(made.error.message);
  token = made.value.token;
});
afterEach(() => shell.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(python === null)("MLflow's client", () => {
  test.each(["", "/p/default"])(
    "[L8] makes every call for tracking, files and models at the address %s/",
    async (path) => {
      const own = mkdtempSync(join(folder, "calls-"));
      const environment = { MLFLOW_TRACKING_URI: shell.url + path, MLFLOW_TRACKING_TOKEN: token };
      const printed = await runPython(python ?? "", CALLS, own, environment);
      const facts = JSON.parse(printed.trim().split("\n").at(-1) ?? "") as Readonly<Record<string, unknown>>;
      expect(facts).toEqual(EXPECTED);
    },
    300_000,
  );
});

/** What MLflow's documentation says of each call in `client-calls.py`, worked out by hand. */
const EXPECTED = {
  deleted: ["renamed"],
  experiment: {
    note: "two\nlines",
  },
  experiments: ["first", "renamed"],
  pages: [2, true],
  none: null,
  codes: {
    taken: "RESOURCE_ALREADY_EXISTS",
    missing: "RESOURCE_DOES_NOT_EXIST",
    filter: "INVALID_PARAMETER_VALUE",
    rewritten: "INVALID_PARAMETER_VALUE",
    "no tag": "RESOURCE_DOES_NOT_EXIST",
    "no run": "RESOURCE_DOES_NOT_EXIST",
    "bad key": "INVALID_PARAMETER_VALUE",
    "of deleted": "INVALID_PARAMETER_VALUE",
    "bad filter": "INVALID_PARAMETER_VALUE",
    "no alias": "INVALID_PARAMETER_VALUE",
    "no model": "RESOURCE_DOES_NOT_EXIST",
    "model taken": "RESOURCE_ALREADY_EXISTS",
    "no version": "RESOURCE_DOES_NOT_EXIST",
    "no logged model": "RESOURCE_DOES_NOT_EXIST",
  },
  status: ["FINISHED", true, "active"],
  params: {
    epochs: "3",
    optimizer: "sgd",
    rate: "0.1",
  },
  metrics: {
    acc: "0.75",
    inf: "inf",
    loss: "0.2",
    low: "-inf",
    nan: "nan",
  },
  tags: {
    kind: "plain",
    "a b": "c",
    "mlflow.x": "1",
    "mlflow.runName": "one",
    "mlflow.note.content": "a note",
  },
  history: [
    [0, 1.0],
    [1, 0.5],
    [2, 0.3333333333333333],
    [3, 0.25],
    [4, 0.2],
  ],
  dataset: ["rows", "training"],
  two: ["deux", "KILLED", 99],
  "long history": 900,
  async: 20,
  search: {
    "": ["deux", "one", "three"],
    "metrics.acc > 0.8": ["deux", "three"],
    "metrics.acc >= 0.75 and metrics.acc < 1": ["deux", "one"],
    "metrics.acc != 0.75": ["deux", "three"],
    "metrics.acc = 19": ["three"],
    "metrics.acc <= 0.75": ["one"],
    "params.rate = '0.1'": ["one"],
    "params.rate != '0.1'": ["deux", "three"],
    "params.optimizer LIKE 's%'": ["one"],
    "params.optimizer ILIKE 'S_D'": ["one"],
    "params.rate IN ('0.1', '0.3')": ["one", "three"],
    "tags.`a b` = 'c'": ["one"],
    'tags."mlflow.x" = "1"': ["one"],
    "attributes.run_name = 'deux'": ["deux"],
    "attributes.run_id IN ('ONE', 'THREE')": ["one", "three"],
    "run_id NOT IN ('ONE')": ["deux", "three"],
    "attributes.status = 'KILLED'": ["deux"],
    "attributes.start_time > 5": ["one", "three"],
    "dataset.name = 'rows'": ["one"],
    "datasets.context = 'training' and tags.kind = 'plain'": ["one"],
  },
  order: ["three", "deux", "one"],
  "order of params": ["one", "three", "deux"],
  "run pages": [["one", "deux"], ["three"]],
  table: ["0.1", "0.2", "0.3"],
  files: [
    ["conf", true, null],
    ["notes.txt", false, 4],
  ],
  folder: [["conf/a.json", false]],
  "of a file": [],
  read: {
    a: [1, 2],
  },
  text: "text",
  large: true,
  "after deletion": ["conf", "empty.bin", "notes.txt"],
  predicted: [2.0, 4.0],
  "by version": [2.0, 4.0],
  "logged model": ["doubles", "READY", "2", [0.5]],
  "logged tags": "y",
  "logged search": ["doubles"],
  outputs: [true],
  "by alias": [2.0, 4.0],
  aliases: ["champion"],
  version: [
    "2",
    "READY",
    "None",
    {
      t: "1",
    },
    "d",
  ],
  stages: {
    "2": "Production",
    "1": "Archived",
  },
  latest: ["2"],
  second: [
    "better",
    {
      k: "v",
    },
  ],
  uri: true,
  registered: [
    "other words",
    {
      c: "d",
    },
  ],
  models: ["simple", "doubles"],
  copied: [2.0, 4.0],
  left: ["copies", "simple"],
};
