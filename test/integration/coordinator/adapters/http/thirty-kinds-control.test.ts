import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import { tryEndpoint } from "#test/kit/adversary/bad-input/run-http.ts";
import { openWholeShell, type WholeShell } from "#test/kit/worlds/whole-shell.ts";

/* The checks of the thirty kinds find what they look for: endpoints with one planted fault each, and one without. */

vi.mock("#coordinator/adapters/http/api/list.ts", async () => {
  const { faultyEndpoints } = await import("#test/kit/dummies/faulty.ts");
  return { ENDPOINTS: [faultyEndpoints] };
});

let world: WholeShell;
beforeAll(async () => {
  world = await openWholeShell();
});
afterAll(() => world.close());

/** Complaints about the endpoint with this fault, by kind. */
async function foundAt(fault: string): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
  const isMeant = ({ path }: Endpoint) => path.startsWith(`/api/v1/faulty/${fault}/{`);
  const endpoint = world.shell.endpoints.find(isMeant);
  if (endpoint === undefined) throw new Error(`no endpoint ${fault}`);
  const { findings } = await tryEndpoint(endpoint, world);
  const byKind = new Map<number, Set<string>>();
  for (const { kind, complaint } of findings)
    byKind.set(kind, (byKind.get(kind) ?? new Set()).add(complaint));
  return byKind;
}

test.each([
  ["throws", 8, "status 500"],
  ["shows-a-stack", 15, "it shows a stack"],
  ["has-no-code", 12, "its body is no JSON: no"],
  ["writes-first", 8, "something changed"],
  ["is-a-page", 15, "it is a page"],
  ["trusts-a-proxy", 30, "it repeats evil.example"],
  ["sets-a-header", 14, "it sets the sender's header"],
  ["forgets-its-project", 17, "accepted with 200"],
] as const)("[W1] an endpoint that %s is found by kind %d: %s", async (fault, kind, complaint) => {
  expect((await foundAt(fault)).get(kind)).toContain(complaint);
});

test("[W1] an endpoint that takes any text is found where no text may pass", async () => {
  const found = await foundAt("sound");
  // Halves of characters never reach it; NUL and line breaks do.
  expect([...found.keys()].sort()).toEqual([11, 13, 14]);
  expect(found.get(14)).toEqual(new Set(["accepted with 200"]));
});
