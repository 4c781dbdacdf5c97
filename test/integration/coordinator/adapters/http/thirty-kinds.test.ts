import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import { httpCases } from "#test/kit/adversary/bad-input/http-cases.ts";
import { httpWorldOf } from "#test/kit/adversary/bad-input/http-world.ts";
import { KIND_NUMBERS, KINDS } from "#test/kit/adversary/bad-input/kinds.ts";
import { requestOf, write } from "#test/kit/adversary/bad-input/request.ts";
import { inGentleOrder, tryEndpoint, tryGood } from "#test/kit/adversary/bad-input/run-http.ts";
import { send } from "#test/kit/adversary/bad-input/send.ts";
import { openWholeShell, type WholeShell } from "#test/kit/worlds/whole-shell.ts";

/*
 * Thirty kinds of bad input at every endpoint of the list, made from what each declares about itself, in front of the
 * real core: a typed refusal in the endpoint's dialect, nothing changed, no stack, the process alive. A new endpoint
 * needs no line here.
 */

vi.mock("#coordinator/adapters/http/api/list.ts", async (original) => {
  const { ENDPOINTS } = await original<typeof import("#coordinator/adapters/http/api/list.ts")>();
  const { greetingEndpoints } = await import("#test/kit/dummies/greeting.ts");
  return { ENDPOINTS: [...ENDPOINTS, greetingEndpoints] };
});

let world: WholeShell;
beforeAll(async () => {
  world = await openWholeShell();
});
afterAll(() => world.close());

const nameOf = ({ method, path }: Endpoint) => `${method.toUpperCase()} ${path}`;

test("[W1] [W13] (1 to 30) each endpoint refuses each kind, or takes it as data; nothing changes", async () => {
  let caseCount = 0;
  // A dummy file of endpoints that is in the list and nowhere else.
  expect(world.shell.endpoints.map(nameOf)).toContain("POST /api/2.0/greetings/{name}");
  for (const endpoint of inGentleOrder(world.shell.endpoints)) {
    const tried = await tryEndpoint(endpoint, world);
    expect(tried.findings, nameOf(endpoint)).toEqual([]);
    caseCount += tried.caseCount;
    expect((await fetch(`${world.shell.url}/livez`)).status).toBe(200);
  }
  expect(caseCount).toBeGreaterThan(2_000);
  expect(world.shell.complaints).toEqual([]);
});

test("[W13] no endpoint is in the list twice", () => {
  const names = world.shell.endpoints.map(nameOf);
  expect(names).toEqual([...new Set(names)]);
});

test("each kind is tried at some endpoint, or needs a socket; no cell of the table is empty", () => {
  const rows = world.shell.endpoints.map((endpoint) => httpCases(endpoint, httpWorldOf(endpoint, world)));
  const untried = KIND_NUMBERS.filter((kind) => rows.every((row) => "reason" in row[kind]));
  expect(untried.map((kind) => KINDS[kind])).toEqual([
    "a replayed nonce",
    "the same contribution twice",
    "lists and shares that do not fit",
    "what is no event",
  ]);
  for (const row of rows) {
    for (const kind of KIND_NUMBERS) {
      const cell = row[kind];
      expect("reason" in cell ? cell.reason.length : cell.cases.length).toBeGreaterThan(0);
    }
  }
});

describe("control", () => {
  test("[W13] each endpoint takes its good request", async () => {
    const own = await openWholeShell();
    try {
      const wrong: string[] = [];
      const taken: string[] = [];
      // A masked input moves the round on; it has a test of its own, and so have files (L4, L11).
      for (const endpoint of inGentleOrder(own.shell.endpoints)) {
        if (endpoint.method === "put" || endpoint.path.endsWith("/upload-artifact")) continue;
        const { outcome, status, body } = await tryGood(endpoint, own);
        if (outcome === "wrong") wrong.push(`${nameOf(endpoint)}: ${status} ${body.slice(0, 200)}`);
        if (outcome === "taken") taken.push(nameOf(endpoint));
      }
      expect(wrong).toEqual([]);
      // A new endpoint may name what this world does not hold.
      expect(taken.length).toBeGreaterThan(0.75 * own.shell.endpoints.length);
    } finally {
      await own.close();
    }
  });

  test("[W7] (21, 22) a good masked input is taken, gets the same receipt again, and no other takes its place", async () => {
    const own = await openWholeShell();
    try {
      const puts = own.shell.endpoints.filter(
        ({ method, path }) => method === "put" && path.startsWith("/api/v1/uploads/"),
      );
      expect(puts).toHaveLength(1);
      for (const endpoint of puts) {
        const first = await tryGood(endpoint, own);
        expect(first.status, first.body).toBe(200);
        const before = own.digest();
        const second = await tryGood(endpoint, own);
        expect([second.status, second.body]).toEqual([200, first.body]);
        const { good } = httpWorldOf(endpoint, own);
        const other = { ...good, headers: { ...good.headers, "chorus-sha256": "0".repeat(64) } };
        const third = await send(own.shell.port, requestOf(endpoint, write(other)));
        expect([third.status, JSON.parse(third.body).error.code]).toEqual([409, "CONFLICT"]);
        expect(own.digest()).toBe(before);
      }
    } finally {
      await own.close();
    }
  });
});
