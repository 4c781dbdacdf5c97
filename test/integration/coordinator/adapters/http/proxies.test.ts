import { get, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { sendRaw } from "#test/kit/adversary/raw-http.ts";
import { RUN_ID } from "#test/kit/fakes/fake-core.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/*
 * The coordinator behind a proxy at 127.0.0.1, which speaks for others, while a stranger at 127.0.0.2 only claims to.
 */

const PROXY = "127.0.0.1";
const STRANGER = "127.0.0.2";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request from this address of the machine, with a connection of its own. */
function ask(shell: Shell, from: string, path: string, headers: Record<string, string>, method = "GET") {
  return new Promise<Answer>((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port: shell.port,
      localAddress: from,
      path,
      headers,
      method,
      agent: false,
    };
    httpRequest(options, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    })
      .on("error", reject)
      .end();
  });
}

/** The socket, once it is open; null if it was refused. */
function upgrade(shell: Shell, from: string, headers: Record<string, string>): Promise<WebSocket | null> {
  const url = `ws://127.0.0.1:${shell.port}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { localAddress: from, headers });
  return new Promise((resolve) => {
    socket.once("open", () => resolve(socket));
    socket.once("error", () => resolve(null));
  });
}

const pause = (shell: Shell, from: string, client: string) =>
  ask(shell, from, `/api/v1/runs/${RUN_ID}/pause`, { "x-forwarded-for": client }, "POST");

describe("a proxy that is trusted", () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await openShell({ trustedProxies: PROXY, publicUrl: "https://chorus.example.org" });
  });
  afterAll(() => shell.close());

  test("[W16] writes are counted for each client, and a spoofed address counts for whoever sends it", async () => {
    const own = await openShell({ trustedProxies: PROXY });
    try {
      const untilRefused = async (from: string, clientOf: (index: number) => string) => {
        for (let index = 0; index < 4 * LIMITS.writesPerMinutePerAddress; index++)
          if ((await pause(own, from, clientOf(index))).status === 429) return true;
        return false;
      };
      expect(await untilRefused(PROXY, () => "198.51.100.1")).toBe(true);
      expect((await pause(own, PROXY, "198.51.100.2")).status).toBe(200);
      // The proxy appends the address it sees to what its client made up.
      expect(await untilRefused(PROXY, (index) => `10.0.${index >> 8}.${index & 255}, 198.51.100.3`)).toBe(
        true,
      );
      // Positive control: if the proxy were not trusted, all clients would count as one.
      expect(await untilRefused(STRANGER, (index) => `198.51.100.${index & 255}`)).toBe(true);
      expect((await pause(own, PROXY, "198.51.100.4")).status).toBe(200);
    } finally {
      await own.close();
    }
  });

  test("[W16] it says which host was asked for and whether over TLS; a stranger says neither", async () => {
    const forwarded = {
      host: "inner:3000",
      "x-forwarded-for": "198.51.100.1",
      "x-forwarded-host": "chorus.example.org",
      "x-forwarded-proto": "https",
    };
    const answer = await ask(shell, PROXY, "/api/v1/status", forwarded);
    expect(answer.status).toBe(200);
    expect(answer.headers["strict-transport-security"]).toBeDefined();
    const plain = await ask(shell, PROXY, "/api/v1/status", { ...forwarded, "x-forwarded-proto": "http" });
    expect(plain.headers["strict-transport-security"]).toBeUndefined();
    expect((await ask(shell, STRANGER, "/api/v1/status", forwarded)).status).toBe(403);
    const toUs = { ...forwarded, host: "localhost" };
    const claimed = await ask(shell, STRANGER, "/api/v1/status", {
      ...toUs,
      "x-forwarded-host": "evil.example",
    });
    expect(claimed.status).toBe(200);
    expect(claimed.headers["strict-transport-security"]).toBeUndefined();
    const other = await ask(shell, PROXY, "/api/v1/status", { ...toUs, "x-forwarded-host": "evil.example" });
    expect(other.status).toBe(403);
  });

  test("[W16] a page without TLS is not ours behind a proxy that speaks it", async () => {
    const write = (origin: string) =>
      ask(
        shell,
        PROXY,
        `/api/v1/runs/${RUN_ID}/pause`,
        {
          origin,
          host: "localhost",
          "x-forwarded-for": "198.51.100.1",
          "x-forwarded-proto": "https",
        },
        "POST",
      );
    expect((await write("https://localhost")).status).toBe(200);
    expect((await write("http://localhost")).status).toBe(403);
  });

  test.each([
    ["x-forwarded-for", "unknown"],
    ["x-forwarded-proto", "gopher"],
    ["x-forwarded-host", "a b"],
  ])("[W16] its %s %j is refused with a sentence, for pages, the API and sockets", async (name, value) => {
    for (const path of ["/api/v1/status", "/", "/livez"]) {
      const { status, body } = await ask(shell, PROXY, path, { [name]: value });
      expect([status, apiErrorSchema.parse(JSON.parse(body)).error.code]).toEqual([400, "BAD_REQUEST"]);
      expect(body.toLowerCase()).toContain(name);
      expect((await ask(shell, STRANGER, path, { [name]: value })).status).not.toBe(400);
    }
    for (const path of ["/socket.io/?EIO=4&transport=websocket", "/elsewhere"]) {
      const lines = [`GET ${path} HTTP/1.1`, "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"];
      const answer = await sendRaw(shell.port, [...lines, `${name}: ${value}`, "", ""].join("\r\n"));
      expect(answer.status).toBe(400);
      expect(answer.body.toLowerCase()).toContain(name);
    }
  });

  test("[W16] whatever bytes the headers hold, the answer is JSON with a code, and the coordinator lives", async () => {
    const value = fc
      .string({ unit: "binary-ascii", maxLength: 60 })
      .map((text) => text.replaceAll(/[^ -~]/g, ""));
    await fc.assert(
      fc.asyncProperty(value, value, value, async (address, proto, host) => {
        const answer = await ask(shell, PROXY, "/api/v1/status", {
          "x-forwarded-for": address,
          "x-forwarded-proto": proto,
          "x-forwarded-host": host,
        });
        expect([200, 400, 403, 429]).toContain(answer.status);
        if (answer.status !== 200) apiErrorSchema.parse(JSON.parse(answer.body));
      }),
      { numRuns: 50 },
    );
    expect(shell.complaints).toEqual([]);
  });

  test("[W16] sockets are counted for each client, so that a proxy may carry more than one person's", async () => {
    const own = await openShell({ trustedProxies: PROXY });
    const sockets: WebSocket[] = [];
    const openUntilRefused = async (from: string, client: string) => {
      for (let count = 0; count <= LIMITS.socketsPerAddress; count++) {
        const socket = await upgrade(own, from, { "x-forwarded-for": client });
        if (socket === null) return count;
        sockets.push(socket);
      }
      return Number.POSITIVE_INFINITY;
    };
    try {
      expect(await openUntilRefused(PROXY, "198.51.100.1")).toBe(LIMITS.socketsPerAddress);
      expect(await openUntilRefused(PROXY, "192.0.2.1, 198.51.100.1")).toBe(0);
      const other = await upgrade(own, PROXY, { "x-forwarded-for": "198.51.100.2" });
      expect(other).not.toBeNull();
      other?.close();
      expect(await openUntilRefused(STRANGER, "198.51.100.3")).toBe(LIMITS.socketsPerAddress);
      expect(await upgrade(own, STRANGER, { "x-forwarded-for": "198.51.100.4" })).toBeNull();
    } finally {
      for (const socket of sockets) socket.terminate();
      await own.close();
    }
  });

  test("[W16] a device's login counts joins for its client", async () => {
    const addresses: string[] = [];
    const own = await openShell({ trustedProxies: PROXY });
    own.access.openLogin = new Proxy(own.access.openLogin, {
      apply: (target, self, [address]: [string]) => {
        addresses.push(address);
        return Reflect.apply(target, self, [address]);
      },
    });
    try {
      for (const from of [PROXY, STRANGER]) {
        const socket = await upgrade(own, from, { "x-forwarded-for": "198.51.100.1" });
        socket?.send("40/device,");
        await expect.poll(() => addresses.length).toBeGreaterThan(from === PROXY ? 0 : 1);
        socket?.close();
      }
      expect(addresses).toEqual(["198.51.100.1", STRANGER]);
    } finally {
      await own.close();
    }
  });
});

test("[W8] without --trusted-proxy no address is believed, not even this machine's", async () => {
  const shell = await openShell();
  try {
    const headers = { "x-forwarded-for": "no address at all", "x-forwarded-host": "evil.example" };
    const status = await new Promise((resolve) => {
      get(`${shell.url}/api/v1/status`, { headers }, (response) => resolve(response.resume().statusCode));
    });
    expect(status).toBe(200);
  } finally {
    await shell.close();
  }
});
