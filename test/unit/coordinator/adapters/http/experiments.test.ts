import { expect, test } from "vitest";
import { experimentEndpoints } from "#coordinator/adapters/http/api/experiments.ts";
import { FakeCore } from "#test/kit/fakes/fake-core.ts";

test("[L15] only those who may read what is tracked read people's params and tags", () => {
  const endpoints = experimentEndpoints({ runSearch: new FakeCore() });
  expect(endpoints.map(({ path, permission }) => [path, permission])).toEqual([
    ["/api/v1/experiments", "tracking.read"],
    ["/api/v1/experiments/names", "tracking.read"],
    ["/api/v1/experiments/files/{format}", "tracking.read"],
  ]);
});
