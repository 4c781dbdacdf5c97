import { expect, test } from "vitest";
import { ENDPOINTS } from "#coordinator/adapters/http/api/list.ts";
import type { HttpPorts } from "#coordinator/adapters/http/app.ts";
import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import { describeEndpoints } from "#coordinator/adapters/http/mount.ts";
import { apiDescriptionSchema, apiGroups } from "#web/words/api-reference.ts";

const ports = new Proxy({}, { get: () => ({}) }) as HttpPorts;
const endpoints = ENDPOINTS.flatMap((group): readonly Endpoint[] => group(ports));
const description = apiDescriptionSchema.parse(
  JSON.parse(JSON.stringify(describeEndpoints(endpoints, "1.2.3"))),
);
const groups = apiGroups(description);
const all = groups.flatMap(({ operations }) => operations);
const operation = (id: string) => all.find((candidate) => candidate.id === id);

test("[W25] the page shows every operation once, under a subject that has words", () => {
  expect(all.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
    endpoints.map(({ method, path }) => `${method.toUpperCase()} ${path}`).toSorted(),
  );
  for (const { anchor, words } of groups) {
    expect(anchor).toMatch(/^[a-z][a-z-]*$/);
    expect(words).toMatch(/\.$/);
  }
  expect(groups[0]?.name).toBe("Tasks");
});

test("[W25] what an operation takes and gives is said in words", () => {
  const launch = operation("postRuns");
  expect(launch?.body).toContainEqual({
    name: "rounds",
    words: "whole number, 1 to 100,000",
    required: true,
  });
  expect(launch?.body?.find(({ name }) => name === "waitUntil")).toMatchObject({ required: false });
  expect(launch?.permission).toContain("Permission runs.launch");
  expect(operation("getTasksBySlugByVersion")?.inAddress.map(({ name }) => name)).toEqual([
    "slug",
    "version",
  ]);
  expect(operation("getRuns")?.inQuery.length).toBeGreaterThan(0);
  expect(operation("getModelsByHash")?.answer).toMatchObject({ status: "200", fields: [] });
  expect(operation("getLivez")?.path).toBe("/livez");
  for (const { inAddress, inQuery, body, answer } of all) {
    for (const { words } of [...inAddress, ...inQuery, ...(body ?? []), ...answer.fields]) {
      expect(words).not.toMatch(/undefined|\[object|^$/);
    }
  }
});

test("a subject that the description does not name stands at the end, and a stranger's names reach no prototype", () => {
  const odd = apiDescriptionSchema.parse({
    ...description,
    paths: {
      "/x": {
        get: {
          ...{ operationId: "getX", tags: ["Elsewhere"], summary: "X", description: "" },
          responses: {
            200: {
              description: "",
              content: { "application/json": { schema: { $ref: "#/components/schemas/constructor" } } },
            },
          },
        },
      },
    },
  });
  expect(apiGroups(odd)).toMatchObject([
    { name: "Other", operations: [{ id: "getX", answer: { fields: [] } }] },
  ]);
});
