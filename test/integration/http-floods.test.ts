import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Reader, ReadQueue } from "#coordinator/adapters/http/read-queue.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { comeIn } from "#test/kit/connections.ts";
import { RUN_ID } from "#test/kit/fake-core.ts";
import { ManualClock } from "#test/kit/manual-clock.ts";
import { sendRaw } from "#test/kit/raw-http.ts";
import { openShell, type Shell } from "#test/kit/shell.ts";

/* What HTTP may cost: bodies that are slow or many, reads that are many. */

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
  test("[W11] one that is not whole in time ends with a code, also when it goes on and on", async () => {
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

  test("[W11] a stop waits for a reader two seconds, not for as long as it likes", async () => {
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

describe("many bodies", () => {
  const post = (url: string, body: string) =>
    fetch(`${url}/api/v1/tasks`, { method: "POST", headers: { "content-type": "application/json" }, body });

  test("[W3] of one address only so many bytes are read", async () => {
    const own = await openShell();
    try {
      const body = JSON.stringify({ junk: "x".repeat(900_000) });
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

  test("[W3] and only so much time goes into reading them", async () => {
    let nowMs = 0;
    const own = await openShell({
      clock: { nowMs: () => (nowMs += 2 * LIMITS.bodyReadingMsBurstPerAddress) },
    });
    try {
      expect(codeOf(await (await post(own.url, "{}")).text())).toBe("BAD_REQUEST");
      // The debt is paid back at 50 ms a second, and this clock goes in steps of two.
      expect(codeOf(await (await post(own.url, "{}")).text())).toBe("RATE_LIMITED");
    } finally {
      await own.close();
    }
  });
});

describe("many reads", () => {
  test("[W10] a few run at a time, a few wait, the rest is told to come later, and writes pass", async () => {
    const own = await openShell();
    try {
      let running = 0;
      let runningMax = 0;
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      own.core.listRuns = async () => {
        running += 1;
        runningMax = Math.max(runningMax, running);
        await released;
        running -= 1;
        return { items: [], next: null };
      };
      const reads = Array.from({ length: 64 }, () => fetch(`${own.url}/api/v1/runs?limit=1`));
      const busyCount = 64 - LIMITS.readsAtOnce - LIMITS.readsWaitingPerAddress;
      let refused = 0;
      for (const read of reads) {
        void read.then(async (answer) => {
          if (answer.status !== 503) return;
          expect(answer.headers.get("retry-after")).toBe("1");
          expect(codeOf(await answer.text())).toBe("UNAVAILABLE");
          refused += 1;
        });
      }
      await expect.poll(() => refused).toBe(busyCount);
      const write = await fetch(`${own.url}/api/v1/runs/${RUN_ID}/pause`, { method: "POST" });
      expect(write.status).toBe(200);
      expect((await fetch(`${own.url}/api/v1/status`)).status).toBe(200);
      release();
      const statuses = (await Promise.all(reads)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200).length).toBe(64 - busyCount);
      expect(runningMax).toBe(LIMITS.readsAtOnce);
    } finally {
      await own.close();
    }
  });

  test("[W10] an address has a rate, and a long list costs more than a short one", async () => {
    const own = await openShell();
    try {
      const untilRefused = async (query: string) => {
        for (let count = 0; ; count++) {
          const answer = await fetch(`${own.url}/api/v1/tasks?${query}`);
          if (answer.status === 200) continue;
          expect(answer.status).toBe(429);
          expect(codeOf(await answer.text())).toBe("RATE_LIMITED");
          return count;
        }
      };
      const cost = 1 + LIMITS.pageSizeMax / 10;
      const taken = await untilRefused(`limit=${LIMITS.pageSizeMax}`);
      expect(taken).toBeGreaterThanOrEqual(Math.floor(LIMITS.readsBurstPerAddress / cost));
      expect(taken).toBeLessThan((2 * LIMITS.readsBurstPerAddress) / cost);
    } finally {
      await own.close();
    }
  });

  test("[W10] pages, their files and what operators ask have rates; that it lives is said much longer", async () => {
    const clock = new ManualClock();
    const own = await openShell({ clock });
    const asked = async (path: string, count: number) => {
      let last = await fetch(`${own.url}${path}`);
      for (let index = 1; index < count; index++) {
        await last.arrayBuffer();
        last = await fetch(`${own.url}${path}`);
      }
      return last;
    };
    try {
      for (const [path, burst] of [
        ["/", LIMITS.pagesBurstPerAddress],
        ["/metrics", LIMITS.operationsBurstPerAddress],
      ] as const) {
        expect((await asked(path, burst)).status).not.toBe(429);
        const refused = await asked(path, 1);
        expect(refused.status).toBe(429);
        expect(refused.headers.get("retry-after")).toBe("1");
        expect(codeOf(await refused.text())).toBe("RATE_LIMITED");
      }
      expect((await asked("/_next/static/a.js", LIMITS.pagesBurstPerAddress + 1)).status).toBe(404);
      expect((await asked("/livez", LIMITS.operationsBurstPerAddress + 1)).status).toBe(200);
      clock.advance(1_000);
      expect((await asked("/", LIMITS.pagesPerSecondPerAddress)).status).toBe(404);
    } finally {
      await own.close();
    }
  });

  const BOUNDS = {
    ...{ atOnceMax: 1, atOnceMaxPerAddress: 1, waitingMax: 3, waitingMaxPerAddress: 2, waitMsMax: 10_000 },
    ...{ burst: 10, perSecond: 1 },
  };
  const reader = (address: string, cost = 1): Reader => ({
    ...{ address, cost, isGone: () => false, onGone: () => () => undefined, cut: () => undefined },
  });

  test("[W10] one address does not take all places, and whoever left does not take one", async () => {
    const queue = new ReadQueue(new ManualClock(), BOUNDS);
    const order: string[] = [];
    let release = () => {};
    const first = queue.run(reader("a"), () => new Promise<void>((resolve) => (release = resolve)));
    const read = (name: string, who: Reader) =>
      queue.run(who, async () => {
        order.push(name);
      });
    const second = read("second", reader("a"));
    const left = read("left", { ...reader("a"), isGone: () => true });
    const busy = { ok: false, error: { type: "busy" } };
    expect(await read("third of a", reader("a"))).toEqual(busy);
    const other = read("other", reader("b"));
    // The line is full, and a waits twice in it: its newest makes room.
    const third = read("third", reader("c"));
    expect((await left).ok).toBe(false);
    // Now everybody waits once.
    expect(await read("full", reader("d"))).toEqual(busy);
    release();
    await Promise.all([first, second, other, third]);
    expect(order).toEqual(["second", "other", "third"]);
    await pause(10);
    expect(await read("later", reader("a"))).toEqual({ ok: true, value: undefined });
  });

  test("[W10] addresses of one IPv6 site share a part of the line", async () => {
    const queue = new ReadQueue(new ManualClock(), BOUNDS);
    expect((await queue.enter(reader("2001:db8:1:0"))).ok).toBe(true);
    const line = ["2001:db8:1:1", "2001:db8:1:2", "2001:db8:1:3"].map((address) =>
      queue.enter(reader(address)),
    );
    const other = queue.enter(reader("2001:db8:2:1"));
    expect(await line[2]).toEqual({ ok: false, error: { type: "busy" } });
    expect(await queue.enter(reader("2001:db8:1:4"))).toEqual({ ok: false, error: { type: "busy" } });
    expect(await Promise.race([...line.slice(0, 2), other, pause(10, "waiting")])).toBe("waiting");
  });

  test("[W10] whoever holds many places for long loses some to those that hold fewer", async () => {
    const clock = new ManualClock();
    const bounds = { ...BOUNDS, atOnceMax: 4, atOnceMaxPerAddress: 4, waitingMax: 10, cutAfterMs: 60_000 };
    const queue = new ReadQueue(clock, bounds);
    const cut: string[] = [];
    const enter = async (name: string) => {
      let leave = () => {};
      const cutIt = () => {
        cut.push(name);
        leave();
      };
      const place = await queue.enter({ ...reader(name.charAt(0)), cut: cutIt });
      if (place.ok) leave = place.value.leave;
      return place.ok;
    };
    for (const name of ["a1", "a2", "a3", "a4"]) expect(await enter(name)).toBe(true);
    clock.advance(59_000);
    const early = enter("b1");
    await pause(10);
    expect(cut).toEqual([]);
    clock.advance(1_000);
    const late = enter("b2");
    expect([await early, await late, await enter("c1")]).toEqual([true, true, true]);
    expect(cut).toEqual(["a1", "a2", "a3"]);
    // Those of b have only begun.
    const waiting = enter("d1");
    await pause(10);
    expect(cut.length).toBe(3);
    clock.advance(60_000);
    void enter("e1");
    expect(await waiting).toBe(true);
    await pause(10);
    // Each has one, so nobody makes room for another.
    expect(cut).toEqual(["a1", "a2", "a3", "b1"]);
  });

  test("[W10] who is gone leaves the line at once", async () => {
    const queue = new ReadQueue(new ManualClock(), { ...BOUNDS, waitingMax: 1 });
    expect((await queue.enter(reader("a"))).ok).toBe(true);
    let isGone = false;
    let go = () => {};
    const onGone = (listener: () => void) => {
      go = listener;
      return () => undefined;
    };
    const waiting = queue.enter({ ...reader("b"), isGone: () => isGone, onGone });
    isGone = true;
    go();
    expect(await waiting).toEqual({ ok: false, error: { type: "gone" } });
    expect(await Promise.race([queue.enter(reader("c")), pause(10, "waiting")])).toBe("waiting");
  });

  test("[W10] addresses take turns, and one has only so many places", async () => {
    const bounds = { ...BOUNDS, atOnceMax: 2, waitingMax: 10, waitingMaxPerAddress: 5 };
    const queue = new ReadQueue(new ManualClock(), bounds);
    const order: string[] = [];
    const leaving: (() => void)[] = [];
    const enter = async (name: string) => {
      const place = await queue.enter(reader(name.charAt(0)));
      order.push(name);
      if (place.ok) leaving.push(place.value.leave);
    };
    const all = ["a1", "a2", "a3", "b1", "c1", "c2"].map(enter);
    // The second place is not for the address that has the first.
    await expect.poll(() => order).toEqual(["a1", "b1"]);
    for (let left = 0; left < 6; left++) {
      await expect.poll(() => leaving.length).toBeGreaterThan(left);
      // Said twice, it is said once.
      leaving[left]?.();
      leaving[left]?.();
    }
    await Promise.all(all);
    expect(order).toEqual(["a1", "b1", "a2", "c1", "a3", "c2"]);
  });

  test("[W10] who has waited too long is told so, and its place in the line is free", async () => {
    const queue = new ReadQueue(new ManualClock(), { ...BOUNDS, waitMsMax: 20, waitingMaxPerAddress: 1 });
    const first = await queue.enter(reader("a"));
    const busy = { ok: false, error: { type: "busy" } };
    for (let tries = 0; tries < 3; tries++) expect(await queue.enter(reader("a"))).toEqual(busy);
    if (first.ok) first.value.leave();
    await pause(10);
    expect((await queue.enter(reader("a"))).ok).toBe(true);
  });

  test("[W10] a read that fails leaves its place", async () => {
    const queue = new ReadQueue(new ManualClock(), BOUNDS);
    await expect(
      queue.run(reader("a"), async () => {
        throw new Error("planted");
      }),
    ).rejects.toThrow("planted");
    await pause(10);
    expect((await queue.run(reader("a"), async () => 1)).ok).toBe(true);
    expect(await queue.run(reader("a", 11), async () => 1)).toEqual({
      ok: false,
      error: { type: "too-many" },
    });
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

  test("[W10] of an address have a rate, whatever they ask for; beyond it each ends its connection", async () => {
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

  test("[W10] what is said to the socket's address without a WebSocket counts, too", async () => {
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

/** Method and address of every route of the API, with something of the right shape in place of its parameters. */
function apiRoutes(): [string, string][] {
  const routes = shell.endpoints
    .filter(({ path }) => path.startsWith("/api/"))
    .map(({ method, path }): [string, string] => [method, path.replaceAll(/\{\w+\}/g, "1")]);
  expect(routes.length).toBeGreaterThan(15);
  return routes;
}

/** Of all answers to these requests, which are sent in one go. */
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
