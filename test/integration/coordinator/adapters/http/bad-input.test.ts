import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { expectRefused } from "#test/kit/adversary/refusal.ts";
import { RUN_ID } from "#test/kit/fakes/fake-core.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/*
 * Bad input at every route: a typed refusal, nothing reached the core, no stack, the process alive. Numbers in the
 * titles refer to the list of thirty in the threat model.
 */

let shell: Shell;
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());

afterEach(async () => {
  // Whatever was sent before: the process answers.
  expect((await fetch(`${shell.url}/livez`)).status).toBe(200);
});

const LAUNCH = { task: "digits", rounds: 3 };
const json = { "content-type": "application/json" };

async function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer> | undefined,
  headers: Record<string, string> = json,
) {
  return fetch(`${shell.url}${path}`, { method: "POST", headers, ...(body === undefined ? {} : { body }) });
}

const expectRefusal = (response: Response, status: number, code?: string) =>
  expectRefused(shell, response, status, code);

describe("bodies", () => {
  test("[W4] a valid launch is accepted: the refusals below do not apply to everything", async () => {
    const response = await post("/api/v1/runs", JSON.stringify(LAUNCH));
    expect(response.status).toBe(201);
    expect(shell.core.writes.map(({ name }) => name)).toEqual(["launch"]);
    shell.core.writes.length = 0;
  });

  test("(1) an empty body", async () => {
    await expectRefusal(await post("/api/v1/runs", undefined), 400, "BAD_REQUEST");
    await expectRefusal(await post("/api/v1/runs", ""), 400, "BAD_REQUEST");
  });

  test("(2) a wrong content type, and a simple one that a foreign page could send", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/xml",
    ]) {
      await expectRefusal(
        await post("/api/v1/runs", JSON.stringify(LAUNCH), { "content-type": type }),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
      );
    }
  });

  test("[W3] (3) a body over the limit, declared and not", async () => {
    const large = JSON.stringify({ ...LAUNCH, actor: "x".repeat(LIMITS.jsonByteCountMax) });
    for (const path of ["/api/v1/tasks", "/api/v1/runs"])
      await expectRefusal(await post(path, large), 413, "TOO_LARGE");
    // Each route has a suitable limit.
    const small = JSON.stringify({ ...LAUNCH, actor: "x".repeat(LIMITS.smallJsonByteCountMax) });
    await expectRefusal(await post("/api/v1/runs", small), 413, "TOO_LARGE");
    await expectRefusal(await post(`/api/v1/runs/${RUN_ID}/stop`, small), 413, "TOO_LARGE");
    await expectRefusal(await post("/api/v1/tasks", small), 400, "BAD_REQUEST");
    const chunks = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000).fill(32));
      },
    });
    const endless = fetch(`${shell.url}/api/v1/runs`, {
      method: "POST",
      headers: json,
      body: chunks,
      duplex: "half",
    } as RequestInit);
    await expectRefusal(await endless, 413, "TOO_LARGE");
  });

  test("(4) a body that is shorter than declared", async () => {
    const answer = await raw(
      `POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"task"`,
      true,
    );
    expect(answer === "" || answer.startsWith("HTTP/1.1 400")).toBe(true);
    expect(shell.core.writes).toEqual([]);
  });

  test("(4) two lengths that contradict each other", async () => {
    const answer = await raw(
      `POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      true,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect(shell.core.writes).toEqual([]);
  });

  test("(5) a compressed body", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 32));
    await expectRefusal(
      await post("/api/v1/runs", new Uint8Array(bomb), { ...json, "content-encoding": "gzip" }),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    );
  });

  test("[W4] (6) JSON nested as deep as its bytes allow", async () => {
    await expectRefusal(await post("/api/v1/tasks", "[".repeat(100_000)), 400, "BAD_REQUEST");
    await expectRefusal(
      await post("/api/v1/tasks", `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`),
      400,
      "BAD_REQUEST",
    );
    await expectRefusal(await post("/api/v1/runs", "[".repeat(100_000)), 413, "TOO_LARGE");
  });

  test("[W3] more values than the route takes, in objects, arrays and keys", async () => {
    const keys = (count: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 0])));
    const refusal = async (path: string, body: string) => {
      const response = await post(path, body);
      const text = await response.clone().text();
      await expectRefusal(response, 400, "BAD_REQUEST");
      return text;
    };
    expect(await refusal("/api/v1/tasks", keys(LIMITS.jsonEntryCountMax / 2))).toContain(
      `more than ${LIMITS.jsonEntryCountMax} values`,
    );
    expect(await refusal("/api/v1/tasks", `[${"0,".repeat(LIMITS.jsonEntryCountMax)}0]`)).toContain(
      "more than",
    );
    expect(await refusal("/api/v1/runs", keys(100))).toContain("more than 200 values");
    expect(await refusal("/api/v1/runs", keys(99))).not.toContain("more than");
  });

  test("[W4] (7) a duplicate key, also if it is escaped differently", async () => {
    await expectRefusal(
      await post("/api/v1/runs", `{"task":"digits","rounds":3,"rounds":900}`),
      400,
      "BAD_REQUEST",
    );
    await expectRefusal(
      await post("/api/v1/runs", `{"task":"digits","rounds":3,"\\u0072ounds":900}`),
      400,
      "BAD_REQUEST",
    );
  });

  test("[W4] (8) keys that reach a prototype", async () => {
    for (const key of ["__proto__", "constructor", "prototype", "\\u005f_proto__"]) {
      await expectRefusal(
        await post("/api/v1/runs", `{"task":"digits","rounds":3,"${key}":{"actor":"x"}}`),
        400,
        "BAD_REQUEST",
      );
    }
    expect(({} as Record<string, unknown>)["actor"]).toBeUndefined();
  });

  test("(9, 10) numbers that are malformed, too large, negative, fractional", async () => {
    for (const rounds of [
      "NaN",
      "Infinity",
      "1e400",
      "9007199254740993",
      "-1",
      "0",
      "1.5",
      '"3"',
      "null",
      "[3]",
      "true",
    ]) {
      await expectRefusal(
        await post("/api/v1/runs", `{"task":"digits","rounds":${rounds}}`),
        400,
        "BAD_REQUEST",
      );
    }
  });

  test("[W4] (11, 14) NUL, a lone surrogate, line breaks, a very long name", async () => {
    for (const actor of ["a\\u0000b", "a\\ud800b", "a\\r\\nSet-Cookie: x=1", "x".repeat(5_000)]) {
      await expectRefusal(
        await post("/api/v1/runs", `{"task":"digits","rounds":3,"actor":"${actor}"}`),
        400,
        "BAD_REQUEST",
      );
    }
    await expectRefusal(
      await post("/api/v1/runs", `{"task":"digits","rounds":3,"actor":"${"x".repeat(500_000)}"}`),
      413,
      "TOO_LARGE",
    );
    await expectRefusal(
      await post("/api/v1/runs", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)),
      400,
      "BAD_REQUEST",
    );
  });

  test("(12, 13) SQL, LIKE and path characters in place of a task's name", async () => {
    for (const task of [
      "' OR 1=1 --",
      "%",
      "_",
      "../../etc/passwd",
      "..%2f..%2f",
      "/etc/passwd",
      "digits;",
      "a\\\\b",
    ]) {
      await expectRefusal(await post("/api/v1/runs", `{"task":"${task}","rounds":3}`), 400, "BAD_REQUEST");
      const listed = await fetch(`${shell.url}/api/v1/runs?task=${encodeURIComponent(task)}`);
      expect(listed.status).toBe(400);
    }
  });

  test("(15, 16) HTML and formulas are data: they come back as JSON that no browser executes", async () => {
    const response = await post("/api/v1/runs", JSON.stringify(LAUNCH));
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    shell.core.writes.length = 0;
  });

  test("a task that does not validate is refused with the error named", async () => {
    const task = structuredClone(bundledTask("digits", 8, 2)) as unknown as { model: { layers: unknown[] } };
    task.model.layers = [{ className: "Lambda", name: "evil" }];
    const response = await post("/api/v1/tasks", JSON.stringify(task));
    expect(await response.clone().text()).toContain("model.layers.0");
    await expectRefusal(response, 400, "BAD_REQUEST");
    for (const body of ["[]", "null", "1", '"x"', "{}", "{", "\ufeff{}"]) {
      await expectRefusal(await post("/api/v1/tasks", body), 400, "BAD_REQUEST");
    }
  });

  test("[S21] a task whose sums do not fit 16 bits is told what to change", async () => {
    const task = bundledTask("digits", 8, 2, 16);
    const { aggregation } = task;
    const response = await post(
      "/api/v1/tasks",
      JSON.stringify({ ...task, aggregation: { ...aggregation, cohortSizeMax: 600 } }),
    );
    expect(await response.clone().text()).toContain("set cohortSizeMax to at most 511, or ring to 32");
    await expectRefusal(response, 400, "BAD_REQUEST");
  });

  test("a task that exists is a conflict", async () => {
    const response = await post("/api/v1/tasks", JSON.stringify(bundledTask("digits", 8, 1)));
    expect(response.status).toBe(409);
    shell.core.writes.length = 0;
  });
});

describe("addresses", () => {
  test("(10, 13, 17) ids that are malformed or unknown", async () => {
    const ids = [
      "1",
      "-1",
      "9007199254740993",
      "a".repeat(31),
      "A".repeat(32),
      "..%2f..%2fetc",
      "%00",
      "%ff",
      "%",
      "a'b",
      "f".repeat(100_000),
    ];
    for (const id of ids) {
      const responses = await Promise.all(
        ["runs", "rounds", "models", "tasks"].map((list) => fetch(`${shell.url}/api/v1/${list}/${id}`)),
      );
      for (const response of responses) expect(response.status).toBeOneOf([400, 404, 431]);
    }
    await expectRefusal(await fetch(`${shell.url}/api/v1/runs/${"0".repeat(32)}`), 404, "NOT_FOUND");
    await expectRefusal(await post(`/api/v1/runs/${"0".repeat(32)}/stop`, undefined), 404, "NOT_FOUND");
    await expectRefusal(await fetch(`${shell.url}/api/v1/models/${"0".repeat(64)}`), 404, "NOT_FOUND");
  });

  test("unknown addresses and methods", async () => {
    await expectRefusal(await fetch(`${shell.url}/api/v1/nothing`), 404, "NOT_FOUND");
    await expectRefusal(await fetch(`${shell.url}/api/v2/status`), 404, "NOT_FOUND");
    const wrong = await fetch(`${shell.url}/api/v1/status`, { method: "DELETE" });
    expect(wrong.headers.get("allow")).toContain("GET");
    await expectRefusal(wrong, 405, "METHOD_NOT_ALLOWED");
    await expectRefusal(await fetch(`${shell.url}/api/v1/runs/${RUN_ID}/stop`), 405, "METHOD_NOT_ALLOWED");
  });

  test("queries: unknown names, duplicates, a foreign cursor, a page that is too large", async () => {
    for (const query of [
      "limit=1&limit=2",
      "limit=0",
      `limit=${LIMITS.pageSizeMax + 1}`,
      "limit=1e9",
      "limit=x",
      "cursor=%27%3B",
      "nothing=1",
      "__proto__=1",
      `cursor=${"a".repeat(300)}`,
    ]) {
      await expectRefusal(await fetch(`${shell.url}/api/v1/runs?${query}`), 400, "BAD_REQUEST");
    }
    const good = await fetch(`${shell.url}/api/v1/runs?limit=2`);
    expect(await good.json()).toMatchObject({ items: [{ runId: RUN_ID }], next: null });
  });
});

describe("who asks", () => {
  test("[W8] (30) a foreign origin may not change anything, our own may", async () => {
    for (const origin of ["https://evil.example", "http://localhost:1", "null", "garbage"]) {
      await expectRefusal(
        await post("/api/v1/runs", JSON.stringify(LAUNCH), { ...json, origin }),
        403,
        "FORBIDDEN",
      );
    }
    const own = await post("/api/v1/runs", JSON.stringify(LAUNCH), { ...json, origin: shell.url });
    expect(own.status).toBe(201);
    shell.core.writes.length = 0;
  });

  test("[W8] (30) a host that is not ours (a name that someone pointed at us)", async () => {
    const answer = await raw(
      "GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403/);
    const control = await raw(
      `GET /api/v1/status HTTP/1.1\r\nHost: localhost:${shell.port}\r\nConnection: close\r\n\r\n`,
    );
    expect(control).toMatch(/^HTTP\/1\.1 200/);
  });

  test("[W8] (30) an absolute address, with and without an upgrade", async () => {
    expect(
      await raw("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    ).toMatch(/^HTTP\/1\.1 400/);
    const upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    expect(await raw(`GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: localhost\r\n${upgrade}`)).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*"BAD_REQUEST"/,
    );
  });

  test("(30) headers that a proxy would set change nothing", async () => {
    const headers = {
      "x-forwarded-for": "1.2.3.4",
      "x-forwarded-host": "evil.example",
      "x-middleware-subrequest": "middleware",
      "next-action": "x",
    };
    const response = await fetch(`${shell.url}/api/v1/status`, { headers });
    expect(response.status).toBe(200);
    expect(await response.text()).not.toContain("evil");
  });

  test("[W8] more writes per minute than an address may send", async () => {
    const other = await openShell();
    try {
      const answers: number[] = [];
      // The limit refills meanwhile, so on a busy machine it takes more requests than the limit itself.
      while (answers.at(-1) !== 429 && answers.length < 10 * LIMITS.writesPerMinutePerAddress) {
        answers.push((await fetch(`${other.url}/api/v1/runs/${RUN_ID}/pause`, { method: "POST" })).status);
      }
      expect(answers.slice(0, 100).every((status) => status === 200)).toBe(true);
      expect(answers.at(-1)).toBe(429);
    } finally {
      await other.close();
    }
  });
});

/** Sends raw bytes that fetch would not send; `end` closes our half at once. Returns what came back. */
function raw(request: string, end = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(shell.port, "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", () => resolve(answer));
    socket.on("close", () => resolve(answer));
    socket.setTimeout(5_000, () => socket.destroy());
    if (end) socket.end(request);
    else socket.write(request);
  });
}
