import { afterAll, beforeAll, expect, test } from "vitest";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/* What MLflow's own tests of its REST interface ask besides what its client calls. */

let shell: Shell;
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());

const get = (path: string) => fetch(shell.url + path, { redirect: "manual" });
const post = (path: string, body: unknown) =>
  fetch(shell.url + path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
async function posted(path: string, body: unknown): Promise<Readonly<Record<string, unknown>>> {
  const response = await post(`/api/2.0/mlflow${path}`, body);
  const text = await response.text();
  expect([path, response.status, text]).toEqual([path, 200, text]);
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
async function newRun(
  experimentId = "0",
): Promise<{ readonly run_id: string; readonly artifact_uri: string }> {
  const { run } = await posted("/runs/create", { experiment_id: experimentId });
  return (run as { info: { run_id: string; artifact_uri: string } }).info;
}
async function sentence(response: Response): Promise<string> {
  const { error_code: code, message } = (await response.json()) as { error_code: string; message: string };
  return `${response.status} ${code} ${message}`;
}
const BAD = "400 INVALID_PARAMETER_VALUE";

test("[L9] the histories of a metric in several runs, whole and sampled", async () => {
  const [one, other] = [(await newRun()).run_id, (await newRun()).run_id].sort() as [string, string];
  for (const [runId, count] of [
    [one, 10],
    [other, 3],
  ] as const) {
    const metrics = Array.from({ length: count }, (_, step) => ({
      key: "a",
      value: step / 2,
      timestamp: 1,
      step,
    }));
    await posted("/runs/log-batch", { run_id: runId, metrics });
  }
  const metricsOf = async (path: string) => {
    const { metrics } = (await (await get(`/ajax-api/2.0/mlflow/metrics/${path}`)).json()) as {
      metrics: { run_id: string; step: number; value: number; timestamp: number; key: string }[];
    };
    return metrics;
  };
  const bulk = await metricsOf(`get-history-bulk?run_id=${other}&run_id=${one}&metric_key=a&max_results=12`);
  expect(bulk.map(({ run_id: runId, step }) => [runId, step])).toEqual([
    ...Array.from({ length: 10 }, (_, step) => [one, step]),
    [other, 0],
    [other, 1],
  ]);
  expect(bulk[1]).toEqual({ key: "a", value: 0.5, timestamp: 1, step: 1, run_id: one });
  const sampled = `get-history-bulk-interval?run_ids=${one}&run_ids=${other}&metric_key=a&max_results=5`;
  expect((await metricsOf(sampled)).map(({ step }) => step)).toEqual([0, 2, 4, 6, 9, 0, 1, 2]);
  expect((await metricsOf(`${sampled}&start_step=1&end_step=4`)).map(({ step }) => step)).toEqual([
    1, 2, 3, 4, 1, 2,
  ]);
});

test("[L9] a question about histories or data sets that does not fit says what is missing", async () => {
  const many = (name: string) => Array.from({ length: 101 }, (_, index) => `${name}=r${index}`).join("&");
  const cases: readonly (readonly [path: string, start: string])[] = [
    ["get-history-bulk?metric_key=a", "GetMetricHistoryBulk request must specify at least one run_id."],
    [
      `get-history-bulk?metric_key=a&${many("run_id")}`,
      "GetMetricHistoryBulk request cannot specify more than 100",
    ],
    ["get-history-bulk?run_id=r", "GetMetricHistoryBulk request must specify a metric_key."],
    ["get-history-bulk-interval?metric_key=a", "Missing value for required parameter 'run_ids'."],
    [
      `get-history-bulk-interval?metric_key=a&${many("run_ids")}`,
      "GetMetricHistoryBulkInterval request must specify",
    ],
    ["get-history-bulk-interval?run_ids=r&metric_key=", "Missing value for required parameter 'metric_key'."],
    [
      "get-history-bulk-interval?run_ids=r&metric_key=a&max_results=0",
      "max_results must be between 1 and 2500",
    ],
    ["get-history-bulk-interval?run_ids=r&metric_key=a&start_step=1", "If either start step or end step"],
    ["get-history-bulk-interval?run_ids=r&metric_key=a&start_step=1&end_step=0", "end_step must be greater"],
  ];
  for (const [path, start] of cases)
    expect(await sentence(await get(`/api/2.0/mlflow/metrics/${path}`))).toContain(`${BAD} ${start}`);
  const datasets = "/ajax-api/2.0/mlflow/experiments/search-datasets";
  expect(await sentence(await post(datasets, {}))).toContain(`${BAD} SearchDatasets request must specify`);
  const ids = Array.from({ length: 21 }, (_, index) => String(index));
  expect(await sentence(await post(datasets, { experiment_ids: ids }))).toContain(
    "cannot specify more than 20",
  );
});

test("[L9] the data sets of an experiment come once for each use", async () => {
  const { experiment_id: id } = await posted("/experiments/create", { name: "of data sets" });
  const dataset = (name: string) => ({ name, digest: "1", source_type: "s", source: "x" });
  const training = [{ key: "mlflow.data.context", value: "training" }];
  for (let run = 0; run < 2; run += 1)
    await posted("/runs/log-inputs", {
      run_id: (await newRun(String(id))).run_id,
      datasets: [{ dataset: dataset("rows"), tags: training }, { dataset: dataset("more") }],
    });
  const { dataset_summaries: found } = await posted("/experiments/search-datasets", { experiment_ids: [id] });
  expect(found).toHaveLength(2);
  expect(found).toEqual(
    expect.arrayContaining([
      { experiment_id: id, name: "rows", digest: "1", context: "training" },
      { experiment_id: id, name: "more", digest: "1" },
    ]),
  );
});

test("[L10] null is absent, and a field that does not fit is named in MLflow's words, in its place", async () => {
  const run = await newRun();
  const metric = { run_id: run.run_id, key: "m", value: 1, timestamp: 1 };
  expect((await post("/api/2.0/mlflow/runs/log-metric", { ...metric, step: null })).status).toBe(200);
  const cases: readonly (readonly [path: string, body: object, start: string])[] = [
    ["/runs/log-metric", { ...metric, run_id: null }, "Missing value for required parameter 'run_id'."],
    ["/runs/log-metric", { ...metric, step: "foo" }, `Invalid value "foo" for parameter 'step' supplied`],
    ["/experiments/create", { name: 123 }, "Invalid value 123 for parameter 'name' supplied"],
    [
      "/runs/search",
      { max_results: 123456789 },
      "Invalid value 123456789 for parameter 'max_results' supplied",
    ],
    [
      "/runs/log-batch",
      {
        run_id: run.run_id,
        params: [
          { key: "a", value: "1" },
          { key: "a", value: "2" },
        ],
      },
      "Duplicate parameter keys have been submitted: ['a']",
    ],
  ];
  for (const [path, body, start] of cases)
    expect(await sentence(await post(`/api/2.0/mlflow${path}`, body))).toContain(`${BAD} ${start}`);
});

test("[L10] sources that are local or climb are refused, however they are encoded", async () => {
  await posted("/registered-models/create", { name: "sourced" });
  const tried = async (source: string) =>
    (await post("/api/2.0/mlflow/model-versions/create", { name: "sourced", source })).json() as Promise<
      Readonly<Record<string, unknown>>
    >;
  for (const source of ["/tmp", "file:///tmp", "C:/models", "file%3A///tmp"])
    expect((await tried(source))["message"]).toContain("To use a local path as a model version");
  for (const source of [
    "mlflow-artifacts://host:9000/models/../../../",
    "s3a://bucket/a/../b",
    "mlflow-artifacts://host:9000/models/..%2f..%2fartifacts",
    "mlflow-artifacts://host:9000/models/%25252e%25252e/a",
    "mlflow-artifacts://host:9000/models/artifact%00",
  ])
    expect((await tried(source))["message"]).toContain("If supplying a source as an http, https,");
  for (const source of [
    "mlflow-artifacts:/models/foo///bar/",
    "https://host/a",
    "mlflow-artifacts://host:9000/a/..../",
  ])
    expect(await tried(source)).toHaveProperty("model_version");
});

test("[L11] files are found by their run, version and logged model, with a harmless type and their own name", async () => {
  const run = await newRun();
  const upload = (query: string, body?: string) =>
    fetch(`${shell.url}/ajax-api/2.0/mlflow/upload-artifact?${query}`, {
      method: "POST",
      ...(body && { body }),
    });
  const types = { "a.txt": "text/plain", MLmodel: "text/plain", "b.pkl": "application/octet-stream" };
  const others = {
    "c.png": "image/png",
    "e.html": "application/octet-stream",
    "f.svg": "application/octet-stream",
  };
  for (const [name, type] of Object.entries({ ...types, ...others })) {
    expect((await upload(`run_uuid=${run.run_id}&path=dir/${name}`, `of ${name}`)).status).toBe(200);
    const found = await get(`/get-artifact?run_id=${run.run_id}&path=dir/${name}`);
    expect(await found.text()).toBe(`of ${name}`);
    expect([name, found.headers.get("content-type")]).toEqual([name, type]);
    expect(found.headers.get("content-disposition")).toBe(`attachment; filename=${name}`);
    expect(found.headers.get("x-content-type-options")).toBe("nosniff");
  }
  await posted("/registered-models/create", { name: "filed" });
  await posted("/model-versions/create", { name: "filed", source: `runs:/${run.run_id}/dir` });
  const ofVersion = await get("//model-versions/get-artifact?name=filed&version=1&path=a.txt");
  expect(await ofVersion.text()).toBe("of a.txt");
  const dot = await get(`/api/2.0/mlflow/artifacts/list?run_id=${run.run_id}&path=./dir/.`);
  expect(((await dot.json()) as { files: unknown[] }).files).toHaveLength(6);
});

test("[L11] what names no file says what is missing, and nothing climbs", async () => {
  const { run_id: runId } = await newRun();
  const upload = async (query: string) =>
    sentence(await fetch(`${shell.url}/api/2.0/mlflow/upload-artifact?${query}`, { method: "POST" }));
  expect(await upload("")).toBe(`${BAD} Request must specify run_uuid.`);
  expect(await upload(`run_uuid=${runId}`)).toBe(`${BAD} Request must specify path.`);
  expect(await upload(`run_uuid=${runId}&path=..%2Fa`)).toBe(`${BAD} Invalid path`);
  expect(await upload(`run_uuid=${runId}&path=a.txt`)).toBe(`${BAD} Request must specify data.`);
  for (const path of [
    `/get-artifact?run_id=${runId}&path=../path`,
    "/model-versions/get-artifact?name=model&version=1&path=../path",
    `/api/2.0/mlflow/artifacts/list?run_id=${runId}&path=../path`,
  ])
    expect(await sentence(await get(path))).toBe(`${BAD} Invalid path`);
  expect(await sentence(await get(`/get-artifact?run_id=${runId}&path=none`))).toContain(
    "404 RESOURCE_DOES_NOT_EXIST",
  );
  expect(await sentence(await post("/graphql", {}))).toContain("404 ENDPOINT_NOT_FOUND");
});
