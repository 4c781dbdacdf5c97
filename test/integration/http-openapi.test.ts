import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openShell, type Shell } from "#test/kit/shell.ts";

let shell: Shell;
let document: OpenApi;
beforeAll(async () => {
  shell = await openShell();
  document = await (await fetch(`${shell.url}/api/v1/openapi.json`)).json();
});
afterAll(() => shell.close());

interface Operation {
  readonly summary?: string;
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
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
}

test("[W9] the description holds every route of the table in shared/protocol/api.ts", () => {
  const table = readFileSync(new URL("../../shared/protocol/api.ts", import.meta.url), "utf8");
  const rows = [...table.matchAll(/^ \* \| ((?:GET|POST|PUT) .*?)\s*\|/gm)].map(
    (match) => match[1] as string,
  );
  expect(rows.length).toBeGreaterThan(10);
  const wanted: string[] = [];
  for (const row of rows) {
    let method = "GET";
    let base = "";
    for (const part of row
      .replaceAll(/\?[^\s,]*/g, "")
      .split(",")
      .map((text) => text.trim())) {
      const match = /^(GET|POST|PUT)\s+(\S+)$/.exec(part);
      if (match !== null) method = match[1] as string;
      const path = match?.[2] ?? part;
      // "POST /runs/{id}/pause, resume, stop" names siblings of the last part.
      const full = path.startsWith("/") ? path : `${base.slice(0, base.lastIndexOf("/"))}/${path}`;
      base = full;
      wanted.push(`${method} ${full}`);
    }
  }
  const shape = (path: string) => path.replaceAll(/\{\w+\}/g, "{}");
  const described = new Set(
    Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${shape(path)}`),
    ),
  );
  for (const route of wanted) expect(described, route).toContain(shape(route));
});

test("[W9] it is OpenAPI 3.1: parameters of each path are declared, references resolve, answers are described", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(document.info.title).not.toBe("");
  for (const [path, operations] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    for (const [method, operation] of Object.entries(operations)) {
      expect(["get", "post", "put"]).toContain(method);
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

test("[W9] answers are what the description says", async () => {
  const { status, tasks } = { status: `${shell.url}/api/v1/status`, tasks: `${shell.url}/api/v1/tasks` };
  expect(await (await fetch(status)).json()).toMatchObject({ product: "chorus", projectId: "default" });
  const list = await (await fetch(tasks)).json();
  expect(Object.keys(list).sort()).toEqual(["items", "next"]);
  const limits = await (await fetch(`${shell.url}/api/v1/limits`)).json();
  expect(limits.frameByteCountMax).toBe(1_000_000);
});
