import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/* What clients of MLflow rely on, and what would break them. Source: MLflow's `rest_utils.py` and `rest_store.py`. */

let shell: Shell;
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());

type Answer = Readonly<Record<string, unknown>>;

async function ask(method: string, path: string, body?: unknown) {
  const response = await fetch(shell.url + path, {
    method,
    redirect: "manual",
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    }),
  });
  const text = await response.text();
  return { status: response.status, type: response.headers.get("content-type") ?? "", text };
}
async function answer(method: string, path: string, body?: unknown): Promise<Answer> {
  const { status, text } = await ask(method, `/api/2.0/mlflow${path}`, body);
  expect([path, status, text]).toEqual([path, 200, text]);
  return JSON.parse(text) as Answer;
}
async function refusal(
  method: string,
  path: string,
  body?: unknown,
): Promise<readonly [status: number, code: string, message: string]> {
  const { status, text } = await ask(method, `/api/2.0/mlflow${path}`, body);
  const { error_code: code, message } = JSON.parse(text) as { error_code: string; message: string };
  return [status, code, message];
}
const newRun = async (): Promise<string> => {
  const { run } = await answer("POST", "/runs/create", { experiment_id: "0", start_time: "5" });
  return (run as { info: { run_id: string } }).info.run_id;
};

describe("addresses", () => {
  test("[L5] what no endpoint has is JSON with ENDPOINT_NOT_FOUND, never a page or a redirect", async () => {
    for (const path of [
      "/api/2.0/mlflow/nothing",
      "/ajax-api/2.0/mlflow/traces",
      "/api/3.0/mlflow/traces/search",
      "/api/2.0/preview/mlflow/nothing",
      "/p/default/api/2.0/mlflow/nothing",
      "/api/2.0/mlflow-artifacts/mpu/create/a",
    ]) {
      const { status, type, text } = await ask("POST", path, {});
      expect([path, status, type]).toEqual([path, 404, "application/json"]);
      expect(JSON.parse(text)).toMatchObject({ error_code: "ENDPOINT_NOT_FOUND" });
    }
    expect((await ask("GET", "/api/2.0/mlflow/runs/create")).status).toBe(405);
  });

  test("[L5] one endpoint has all addresses of MLflow's clients, and those of a project", async () => {
    for (const start of [
      "/api/2.0",
      "/ajax-api/2.0",
      "/api/2.0/preview",
      "/p/default/api/2.0",
      "/p/default/ajax-api/2.0",
    ]) {
      const { text } = await ask("GET", `${start}/mlflow/experiments/get?experiment_id=0`);
      expect([start, JSON.parse(text)]).toMatchObject([start, { experiment: { name: "Default" } }]);
    }
    for (const path of ["/health", "/p/default/health"]) expect((await ask("GET", path)).text).toBe("OK");
    const version = await ask("GET", "/version");
    expect([version.text, version.type]).toEqual(["3.0.0", "text/plain; charset=utf-8"]);
    expect(JSON.parse((await ask("GET", "/api/3.0/mlflow/server-info")).text)).toMatchObject({
      workspaces_enabled: false,
    });
  });

  test("[L5] a project that is not there, or is none of the asker's, answers RESOURCE_DOES_NOT_EXIST", async () => {
    for (const project of ["lab", "__proto__", "a%00b"]) {
      const { status, text } = await ask(
        "GET",
        `/p/${project}/api/2.0/mlflow/experiments/get?experiment_id=0`,
      );
      expect([project, status, text.includes("NOT")]).toEqual([project, 404, true]);
    }
  });

  test("[X37] nobody reads or writes without a role", async () => {
    const { asker } = shell;
    shell.asker = null;
    try {
      expect((await refusal("GET", "/experiments/get?experiment_id=0")).slice(0, 2)).toEqual([
        401,
        "UNAUTHENTICATED",
      ]);
      expect((await refusal("POST", "/runs/create", {})).slice(0, 2)).toEqual([401, "UNAUTHENTICATED"]);
    } finally {
      shell.asker = asker;
    }
  });
});

describe("shapes", () => {
  test("[L5] 64-bit numbers come as numbers or digits and leave as numbers; ids and versions are texts", async () => {
    const runId = await newRun();
    await answer("POST", "/runs/log-metric", {
      run_uuid: runId,
      key: "m",
      value: 1,
      timestamp: "1700000000000",
      step: "-3",
    });
    const { run } = await answer("GET", `/runs/get?run_uuid=${runId}`);
    expect(run).toMatchObject({
      info: { run_id: runId, run_uuid: runId, experiment_id: "0", start_time: 5, lifecycle_stage: "active" },
      data: { metrics: [{ key: "m", value: 1, timestamp: 1_700_000_000_000, step: -3 }] },
    });
    expect((run as { info: object }).info).not.toHaveProperty("end_time");
    await answer("POST", "/registered-models/create", { name: "m" });
    const made = { name: "m", source: "mlflow-artifacts:/0/x", run_id: runId };
    expect(await answer("POST", "/model-versions/create", made)).toMatchObject({
      model_version: { version: "1", status: "READY", current_stage: "None" },
    });
  });

  test("[L5] NaN and infinities are words, in and out", async () => {
    const runId = await newRun();
    for (const [key, value] of [
      ["a", "NaN"],
      ["b", "Infinity"],
      ["c", "-Infinity"],
    ])
      await answer("POST", "/runs/log-metric", { run_id: runId, key, value, timestamp: 1 });
    const { run } = await answer("GET", `/runs/get?run_id=${runId}`);
    const { metrics } = (run as { data: { metrics: { value: unknown }[] } }).data;
    expect(metrics.map(({ value }) => value)).toEqual(["NaN", "Infinity", "-Infinity"]);
  });

  test("[L1] [L5] a logged model keeps NaN and infinities as a run does, and is found by them", async () => {
    const runId = await newRun();
    const { model } = await answer("POST", "/logged-models", { experiment_id: "0", name: "numbers" });
    const { model_id: modelId } = (model as { info: { model_id: string } }).info;
    const values = { low: "-Infinity", nan: "NaN", plain: 0.5, top: "Infinity" };
    const metrics = Object.entries(values).map(([key, value]) => ({ key, value, timestamp: 1, step: 0 }));
    const logged = metrics.map((metric) => ({ ...metric, model_id: modelId }));
    await answer("POST", "/runs/log-batch", { run_id: runId, metrics: logged });
    // A later change reads them and writes them again.
    await answer("PATCH", `/logged-models/${modelId}/tags`, { tags: [{ key: "later", value: "1" }] });
    const valuesOf = (shown: unknown) =>
      Object.fromEntries(
        (shown as { data: { metrics: { key: string; value: unknown }[] } }).data.metrics.map(
          ({ key, value }) => [key, value],
        ),
      );
    expect(valuesOf((await answer("GET", `/logged-models/${modelId}`))["model"])).toEqual(values);
    const found = async (filter: string) => {
      const { models } = await answer("POST", "/logged-models/search", { experiment_ids: ["0"], filter });
      return (models as unknown[]).map(valuesOf);
    };
    expect(await found("metrics.top > 1e300 AND metrics.low < -1e300")).toEqual([values]);
    expect(await found("metrics.nan >= 0")).toEqual([]);
  });

  test("[L5] lists of a GET are repeated names; PATCH and DELETE carry JSON", async () => {
    for (const name of ["zz-a", "zz-b"]) await answer("POST", "/registered-models/create", { name });
    const found = await answer(
      "GET",
      "/registered-models/search?filter=name%20LIKE%20'zz-%25'&order_by=timestamp%20ASC&order_by=name%20DESC&max_results=1",
    );
    expect(found).toMatchObject({ registered_models: [{ name: "zz-a" }], next_page_token: "o1" });
    const changed = await answer("PATCH", "/registered-models/update", { name: "zz-a", description: "d\nd" });
    expect(changed).toMatchObject({ registered_model: { description: "d\nd" } });
    expect(await answer("DELETE", "/registered-models/delete", { name: "zz-a" })).toEqual({});
  });

  test("[L5] fields of later clients are ignored", async () => {
    expect(
      await answer("POST", "/runs/create", { experiment_id: "0", of_tomorrow: { a: 1 } }),
    ).toHaveProperty("run");
  });
});

describe("bad input", () => {
  test("[L5] [L2] a param that is rewritten, and a batch with two values of one, are refused as a whole", async () => {
    const runId = await newRun();
    await answer("POST", "/runs/log-parameter", { run_id: runId, key: "p", value: "1" });
    const batch = { run_id: runId, params: [{ key: "p", value: "2" }], tags: [{ key: "t", value: "x" }] };
    const [status, code, message] = await refusal("POST", "/runs/log-batch", batch);
    expect([status, code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
    expect(message).toMatch(/already logged with value='1'/);
    const twice = {
      run_id: runId,
      params: [
        { key: "q", value: "1" },
        { key: "q", value: "2" },
      ],
    };
    expect((await refusal("POST", "/runs/log-batch", twice)).slice(0, 2)).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
    ]);
    const { run } = await answer("GET", `/runs/get?run_id=${runId}`);
    expect(run).toMatchObject({ data: { params: [{ key: "p", value: "1" }] } });
    expect((run as { data: { tags: { key: string }[] } }).data.tags.map(({ key }) => key)).toEqual([
      "mlflow.runName",
    ]);
  });

  test("[L5] a batch of more than it may have says how much that is", async () => {
    const runId = await newRun();
    const metrics = Array.from({ length: 1_001 }, (_, step) => ({
      key: "m",
      value: step,
      timestamp: 1,
      step,
    }));
    const [status, code, message] = await refusal("POST", "/runs/log-batch", { run_id: runId, metrics });
    expect([status, code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
    expect(message).toContain("at most 1000 metrics, 100 params and 100 tags");
  });

  test.each(["../a", "a/../../b", "/etc/passwd", "a//b", "a/./b", "..", "a\\b", "C:/x", "%252e%252e/a"])(
    "[L4] [L5] the path %s is refused for files, in each way",
    async (path) => {
      const written = path.replaceAll("/", "%2F").replaceAll("\\", "%5C");
      const file = `/api/2.0/mlflow-artifacts/artifacts/${written}`;
      for (const method of ["GET", "PUT", "DELETE"]) {
        const { status } = await ask(method, file);
        expect([method, status >= 400 && status < 500]).toEqual([method, true]);
      }
      // To list a/./b is to list a/b: clients ask for that.
      const asked = path === "a/./b" ? 200 : 400;
      const listed = await ask("GET", `/api/2.0/mlflow-artifacts/artifacts?path=${encodeURIComponent(path)}`);
      expect(listed.status).toBe(asked);
      const runId = await newRun();
      expect(
        (await refusal("GET", `/artifacts/list?run_id=${runId}&path=${encodeURIComponent(path)}`))[0],
      ).toBe(asked);
    },
  );

  test("[L4] a file is stored, listed, replaced and deleted; a folder is no file", async () => {
    const runId = await newRun();
    const file = (path: string) =>
      `${shell.url}/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/${path}`;
    const put = (path: string, body: string) => fetch(file(path), { method: "PUT", body });
    expect((await put("a/b.txt", "one")).status).toBe(200);
    expect((await put("a/b.txt", "three")).status).toBe(200);
    expect((await put("empty", "")).status).toBe(200);
    expect((await put("a", "x")).status).toBe(400);
    expect((await put("a/b.txt/c", "x")).status).toBe(400);
    const read = await fetch(file("a/b.txt"));
    expect([await read.text(), read.headers.get("content-length")]).toEqual(["three", "5"]);
    expect(await answer("GET", `/artifacts/list?run_id=${runId}`)).toEqual({
      root_uri: `mlflow-artifacts:/0/${runId}/artifacts`,
      files: [
        { path: "a", is_dir: true },
        { path: "empty", is_dir: false, file_size: 0 },
      ],
    });
    expect(await answer("GET", `/artifacts/list?run_id=${runId}&path=a/b.txt`)).toMatchObject({ files: [] });
    expect((await fetch(file("a"), { method: "DELETE" })).status).toBe(200);
    expect((await fetch(file("a/b.txt"))).status).toBe(404);
    const hash = createHash("sha256").update("three").digest("hex");
    expect(await shell.blobs.byteCount(hash)).toBeNull();
  });

  test("[L4] [L5] a path of more than 2,000 bytes is refused", async () => {
    const path = Array.from({ length: 250 }, () => "€€€").join("/");
    const { status } = await ask("PUT", `/api/2.0/mlflow-artifacts/artifacts/${encodeURI(path)}`);
    expect(status).toBe(404);
  });

  test("[L5] models of earlier clients are added to a run's list", async () => {
    const runId = await newRun();
    for (const name of ["a", "b"])
      await answer("POST", "/runs/log-model", { run_id: runId, model_json: JSON.stringify({ name }) });
    const { run } = await answer("GET", `/runs/get?run_id=${runId}`);
    const { tags } = (run as { data: { tags: { key: string; value: string }[] } }).data;
    const listed = tags.find(({ key }) => key === "mlflow.log-model.history")?.value ?? "";
    expect(JSON.parse(listed)).toEqual([{ name: "a" }, { name: "b" }]);
    const bad = { run_id: runId, model_json: "[" };
    expect((await refusal("POST", "/runs/log-model", bad)).slice(0, 2)).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
    ]);
  });

  test("[L5] sources of versions are addresses, never paths of this machine", async () => {
    await answer("POST", "/registered-models/create", { name: "sources" });
    for (const source of [
      "/etc/passwd",
      "file:///etc/passwd",
      "FILE:///etc/passwd",
      "File%3A///etc/passwd",
      "a/b",
      "mlflow-artifacts:/0/../1",
      "s3://a/../b",
      "C:\\x",
    ])
      expect([
        source,
        (await refusal("POST", "/model-versions/create", { name: "sources", source }))[1],
      ]).toEqual([source, "INVALID_PARAMETER_VALUE"]);
  });
});
