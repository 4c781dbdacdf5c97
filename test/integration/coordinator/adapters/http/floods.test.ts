import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { present } from "#shared/kernel/assert.ts";
import { ok } from "#shared/kernel/result.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { largeTask } from "#test/kit/adversary/large-task.ts";
import { sendRaw } from "#test/kit/adversary/raw-http.ts";
import { comeIn } from "#test/kit/connections.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/* What HTTP may cost: slow bodies, many bodies, many requests. */

let shell: Shell;
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());

const HEAD = "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

function codeOf(body: string): string {
  return apiErrorSchema.parse(JSON.parse(body)).error.code;
}

describe("slow bodies", () => {
  test("[W11] a body that is not complete in time ends with a code, even if it goes on and on", async () => {
    const beganMs = performance.now();
    const drip = Array.from({ length: 24 }, () => [" ", 500]).flat();
    const [silent, dripping] = await Promise.all([
      sendRaw(shell.port, `${HEAD}Content-Length: 100\r\n\r\n{"task"`),
      sendRaw(shell.port, `${HEAD}Content-Length: 100\r\n\r\n`, ...drip),
    ]);
    for (const answer of [silent, dripping]) {
      expect(answer.status).toBe(408);
      expect(codeOf(answer.body)).toBe("REQUEST_TIMEOUT");
      expect(answer.headers.get("connection")).toBe("close");
    }
    expect(performance.now() - beganMs).toBeGreaterThan(LIMITS.bodyMsMax);
    expect(shell.core.writes).toEqual([]);
  });

  test("[W11] a stop does not wait for them", async () => {
    const own = await openShell();
    try {
      const halves = Array.from({ length: 16 }, () =>
        sendRaw(own.port, `${HEAD}Content-Length: 100\r\n\r\n{"task"`),
      );
      await pause(200);
      own.beginStop();
      expect(await own.inFlight.drained(LIMITS.bodyMsMax / 2)).toBe(true);
      for (const half of await Promise.all(halves)) {
        expect(half.status).toBe(503);
        expect(codeOf(half.body)).toBe("UNAVAILABLE");
      }
    } finally {
      await own.close();
    }
  });

  test("[W11] a stop waits for a reader for two seconds, not for as long as it likes", async () => {
    const own = await openShell();
    try {
      let asked = 0;
      own.core.listRuns = () => {
        asked += 1;
        return new Promise(() => undefined);
      };
      void fetch(`${own.url}/api/v1/runs`).catch(() => undefined);
      await expect.poll(() => asked).toBe(1);
      own.beginStop();
      expect(await own.inFlight.drained(1_000)).toBe(false);
      expect(await own.inFlight.drained(60_000)).toBe(true);
    } finally {
      await own.close();
    }
  });
});

test("[W11] a stop waits for a write until it is answered, not until the answer is read", async () => {
  const own = await openShell();
  try {
    const view = present(await own.core.taskView("digits"), "the task");
    let answer = () => {};
    own.core.createTask = async () => {
      await new Promise<void>((resolve) => (answer = resolve));
      return ok({ ...view, task: { ...view.task, dataCard: "x".repeat(32 * 2 ** 20) } });
    };
    const body = JSON.stringify({ ...own.core.task, slug: "other" });
    const head = "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    const { socket } = await comeIn(own.port, "127.0.0.1");
    socket.pause();
    socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    await pause(200);
    own.beginStop();
    expect(await own.inFlight.drained(3_000)).toBe(false);
    answer();
    expect(await own.inFlight.drained(5_000)).toBe(true);
    socket.destroy();
  } finally {
    await own.close();
  }
});

describe("many bodies", () => {
  const post = (url: string, body: string) =>
    fetch(`${url}/api/v1/tasks`, { method: "POST", headers: { "content-type": "application/json" }, body });

  test("[W3] only a limited number of bytes per address is read", async () => {
    const own = await openShell();
    try {
      const body = JSON.stringify({ junk: "x".repeat(0.9 * LIMITS.jsonByteCountMax) });
      const codes: string[] = [];
      for (let sent = 0; sent * body.length < 3 * LIMITS.bodyBytesBurstPerAddress; sent++) {
        const answer = await post(own.url, body).catch(() => null);
        if (answer !== null) codes.push(codeOf(await answer.text()));
      }
      expect(codes[0]).toBe("BAD_REQUEST");
      expect(codes.at(-1)).toBe("RATE_LIMITED");
    } finally {
      await own.close();
    }
  });

  test("[W3] tasks of the most columns and the most categories are accepted", async () => {
    const body = largeTask("large");
    expect(body.length).toBeGreaterThan(0.8 * LIMITS.jsonByteCountMax);
    expect((await post(shell.url, body)).status).toBe(201);
    const columns = Array.from({ length: LIMITS.columnsMax }, (_, index) => ({
      ...{ name: `a column of a table, no. ${index}`, type: "numeric", range: [0, 100_000] },
      ...{ unit: "unit", protected: false, input: true },
    }));
    const { features, model, ...task } = bundledTask("hmda", 8, 1);
    const wide = {
      ...{ ...task, slug: "wide", features: { ...features, columns } },
      model: { ...model, inputShape: [LIMITS.columnsMax] },
    };
    expect((await post(shell.url, JSON.stringify(wide))).status).toBe(201);
  });

  test("[W3] only a limited time is spent on reading them", async () => {
    let nowMs = 0;
    const own = await openShell({
      clock: { nowMs: () => (nowMs += 2 * LIMITS.bodyReadingMsBurstPerAddress) },
    });
    try {
      expect(codeOf(await (await post(own.url, "{}")).text())).toBe("BAD_REQUEST");
      // The debt is paid back at 50 ms a second, and this clock advances in steps of two.
      expect(codeOf(await (await post(own.url, "{}")).text())).toBe("RATE_LIMITED");
    } finally {
      await own.close();
    }
  });
});

describe("requests of any kind", () => {
  const head = (line: string, host = "localhost") => `${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const KINDS = {
    "an address of nothing": head("GET /api/v1/nothing"),
    "a wrong method": head("DELETE /api/v1/status"),
    "no id": head("GET /api/v1/runs/1"),
    "a bad query": head("GET /api/v1/runs?limit=x"),
    "a foreign host": head("GET /api/v1/status", "evil.example"),
    "a doubled header": "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "an address for proxies": head("GET http://evil.example/"),
    "an upload that is none": head("GET /api/v1/uploads/x/1"),
  };

  test("[W10] have a rate per address, whatever they ask for; beyond it each ends its connection", async () => {
    const clock = new ManualClock();
    const own = await openShell({ clock });
    try {
      const kinds = Object.values(KINDS);
      const count = LIMITS.apiBurstPerAddress;
      const all = Array.from({ length: count }, (_, index) => kinds[index % kinds.length]).join("");
      const { rest } = await statusesOf(own.port, all);
      expect(rest.length).toBe(count);
      expect(rest).not.toContain(429);
      for (const [kind, request] of Object.entries(KINDS)) {
        const over = await statusesOf(own.port, request.repeat(100));
        expect(over.rest, kind).toEqual([429]);
        expect(over.text).toMatch(/retry-after: 1\r\n/i);
        expect(over.text).toContain("RATE_LIMITED");
      }
      for (const [method, path] of apiRoutes()) {
        const over = await statusesOf(own.port, head(`${method.toUpperCase()} ${path}`));
        expect(over.rest, `${method} ${path}`).toEqual([429]);
      }
      clock.advance(1_000);
      for (const request of kinds) expect((await statusesOf(own.port, request)).rest).not.toContain(429);
    } finally {
      await own.close();
    }
  });

  test("[W10] include requests to the socket's address that are no WebSocket", async () => {
    const own = await openShell({ clock: new ManualClock() });
    try {
      const request = head("GET /socket.io/?EIO=4&transport=polling");
      const { rest } = await statusesOf(own.port, request.repeat(2 * LIMITS.apiBurstPerAddress));
      expect(rest.length).toBeLessThanOrEqual(LIMITS.apiBurstPerAddress + 1);
      expect((await statusesOf(own.port, head("GET /api/v1/status"))).rest).toEqual([429]);
    } finally {
      await own.close();
    }
  });
});

/** Method and address of every route of the API, with well-formed values for its parameters. */
function apiRoutes(): [string, string][] {
  const routes = shell.endpoints
    .filter(({ path }) => path.startsWith("/api/"))
    .map(({ method, path }): [string, string] => [method, path.replaceAll(/\{\w+\}/g, "1")]);
  expect(routes.length).toBeGreaterThan(15);
  return routes;
}

/** The statuses of all answers to these requests, which are sent in one go. */
async function statusesOf(port: number, requests: string) {
  const last = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const text = await hearAll(port, requests + last);
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  return { text, rest: statuses.at(-1) === 200 ? statuses.slice(0, -1) : statuses };
}

async function hearAll(port: number, requests: string): Promise<string> {
  const { socket, heard } = await comeIn(port, "127.0.0.1", requests);
  await new Promise((resolve) => socket.once("close", resolve));
  return heard();
}
