import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ERRORS } from "#shared/protocol/errors.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

vi.mock("#coordinator/adapters/http/api/list.ts", async (original) => {
  const { ENDPOINTS } = await original<typeof import("#coordinator/adapters/http/api/list.ts")>();
  const { greetingEndpoints } = await import("#test/kit/dummies/greeting.ts");
  return { ENDPOINTS: [...ENDPOINTS, greetingEndpoints] };
});

let shell: Shell;
let document: OpenApi;
beforeAll(async () => {
  shell = await openShell();
  document = await (await fetch(`${shell.url}/api/v1/openapi.json`)).json();
});
afterAll(() => shell.close());

interface Operation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  /** Set on operators' endpoints, which are at the root. */
  readonly servers?: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: object;
  }[];
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Record<string, { readonly schema: object }> }
  >;
}
interface OpenApi {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly "x-errors": readonly {
    readonly code: string;
    readonly status: number;
    readonly message: string;
    readonly retry: string;
  }[];
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
}

test("[W9] it is OpenAPI 3.1: parameters of each path are declared, references resolve, answers are described", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(document.info.title).not.toBe("");
  for (const [path, operations] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    for (const [method, operation] of Object.entries(operations)) {
      expect(["get", "post", "put", "patch", "delete"]).toContain(method);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      expect(new Set(declared.map((parameter) => parameter.name))).toEqual(new Set(names));
      expect(declared.filter((parameter) => parameter.required !== true)).toEqual([]);
      expect(operation.summary).toBeTruthy();
      expect(Object.keys(operation.responses)).toContain("default");
      for (const response of Object.values(operation.responses)) expect(response.description).toBeTruthy();
    }
  }
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
  let count = 0;
  for (const [, name] of references) {
    count += 1;
    expect(document.components.schemas).toHaveProperty(name as string);
  }
  expect(count).toBeGreaterThan(10);
});

test("[W25] operations have ids that differ, follow from the address, and tags that are described", () => {
  const described = new Set(document.tags.map(({ name }) => name));
  const used = new Set<string>();
  const ids = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, { operationId, tags = [] }] of Object.entries(operations)) {
      expect(operationId).toMatch(/^(get|post|put|patch|delete)[A-Z][A-Za-z0-9]*$/);
      expect(ids).not.toContain(operationId);
      ids.add(operationId ?? "");
      expect(tags).toHaveLength(1);
      expect(described, `${method} ${path}`).toContain(tags[0]);
      used.add(tags[0] ?? "");
    }
  }
  for (const name of described) expect(used).toContain(name);
  // Programs are made from these names.
  for (const id of [
    "getTasks",
    "postTasks",
    "getTasksBySlugByVersion",
    "postRuns",
    "getRunsByRunId",
    "getModelsByHash",
  ]) {
    expect(ids).toContain(id);
  }
});

test("[W25] every error code is listed with its status, its sentence and whether to try again", async () => {
  const listed = document["x-errors"];
  expect(listed.map(({ code }) => code).toSorted()).toEqual(Object.keys(ERRORS).toSorted());
  for (const { status, message, retry } of listed) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(message).toMatch(/\.$/);
    expect(["now", "later", "never"]).toContain(retry);
  }
  const missing = await fetch(`${shell.url}/api/v1/nothing-here`);
  const { error } = await missing.json();
  expect(listed.find(({ code }) => code === error.code)).toEqual({ status: missing.status, ...error });
});

test("[W9] answers match the description", async () => {
  const { status, tasks } = { status: `${shell.url}/api/v1/status`, tasks: `${shell.url}/api/v1/tasks` };
  expect(await (await fetch(status)).json()).toMatchObject({ product: "chorus", projectId: "default" });
  const list = await (await fetch(tasks)).json();
  expect(Object.keys(list).sort()).toEqual(["items", "next"]);
  const limits = await (await fetch(`${shell.url}/api/v1/limits`)).json();
  expect(limits.frameByteCountMax).toBe(1_000_000);
});
