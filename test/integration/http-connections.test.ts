import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, get } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HttpConnections } from "#coordinator/adapters/http/connections.ts";
import { closeServer, createWebServer, listen } from "#coordinator/adapters/http/server.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { comeIn, comeInMany, countOpen, goAway, type Stranger } from "#test/kit/connections.ts";
import { ManualClock } from "#test/kit/manual-clock.ts";
import { openRawSocket } from "#test/kit/raw-socket.ts";
import { openShell, type Shell } from "#test/kit/shell.ts";

/* How many connections a stranger may hold, and for how long without a word. */

const GREETING = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
const PER_ADDRESS = LIMITS.httpConnectionsPerAddress;

describe("open connections", () => {
  let shell: Shell;
  let strangers: Stranger[];
  beforeEach(async () => {
    shell = await openShell();
    strangers = [];
    return async () => {
      goAway(strangers);
      await shell.close();
    };
  });
  const come = async (count: number, address?: string) => {
    const come = await comeInMany(shell.port, count, address);
    strangers.push(...come);
    // Whoever is turned away is turned away at once.
    await pause(300);
    return come;
  };

  test("[W12] an address has so many; the next is closed at once, and others still get in", async () => {
    const held = await come(PER_ADDRESS, "127.0.0.2");
    expect(countOpen(held)).toBe(PER_ADDRESS);
    expect(countOpen(await come(10, "127.0.0.2"))).toBe(0);
    expect((await fetch(`${shell.url}/livez`)).status).toBe(200);
    goAway(held.slice(0, 10));
    await pause(300);
    expect(countOpen(await come(10, "127.0.0.2"))).toBe(10);
  });

  test("[W12] a hundred browsers behind one address have six each", async () => {
    const room = await comeInMany(shell.port, 600, "127.0.0.2", GREETING);
    strangers.push(...room);
    const greeted = () => room.filter(({ heard }) => heard().startsWith("HTTP/1.1 200")).length;
    await expect.poll(greeted, { timeout: 20_000 }).toBe(600);
  });

  test("[W12] WebSockets have their own bound and leave this one", async () => {
    const sockets = await Promise.all(
      Array.from({ length: 10 }, () => openRawSocket(shell.url, "127.0.0.2")),
    );
    expect(sockets.every((socket) => socket?.isOpen)).toBe(true);
    expect(countOpen(await come(PER_ADDRESS, "127.0.0.2"))).toBe(PER_ADDRESS);
    expect(countOpen(await come(1, "127.0.0.2"))).toBe(0);
    for (const socket of sockets) socket?.close();
    await pause(300);
    // Their end makes no room that was not theirs.
    expect(countOpen(await come(1, "127.0.0.2"))).toBe(0);
  });

  test("[W12] an upload that is broken off gives its connection back", async () => {
    const head = `PUT /api/v1/uploads/${"0".repeat(64)}/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\nabc`;
    const uploads = await comeInMany(shell.port, PER_ADDRESS, "127.0.0.2", head);
    goAway(uploads);
    // All places are free again once the server has heard of it.
    const places = async () => {
      const all = await come(PER_ADDRESS, "127.0.0.2");
      const count = countOpen(all);
      goAway(all);
      return count;
    };
    await expect.poll(places, { timeout: 60_000, interval: 1_000 }).toBe(PER_ADDRESS);
  });
});

describe("how they are counted", () => {
  class FakeSocket extends EventEmitter {
    static #port = 0;
    readonly remotePort = ++FakeSocket.#port;
    readonly localAddress = "127.0.0.1";
    readonly remoteAddress: string;
    destroyed = false;
    constructor(remoteAddress: string) {
      super();
      this.remoteAddress = remoteAddress;
    }
    destroy(): this {
      this.destroyed = true;
      this.emit("close");
      return this;
    }
  }
  let clock: ManualClock;
  let connections: HttpConnections;
  beforeEach(() => {
    clock = new ManualClock();
    connections = new HttpConnections(clock);
  });
  const accept = (address: string) => {
    const socket = new FakeSocket(address);
    connections.accept(socket as unknown as Socket);
    return socket;
  };
  const open = (sockets: readonly FakeSocket[]) => sockets.filter(({ destroyed }) => !destroyed).length;

  const fill = (addressOf: (index: number) => string) =>
    Array.from({ length: 4 * PER_ADDRESS }, (_, index) => accept(addressOf(index)));
  const forStrangers = LIMITS.httpConnectionsMax - LIMITS.httpConnectionsForLoopback;

  test("[W12] four addresses do not shut out others: who holds few displaces the newest of who holds most", () => {
    const held = fill((index) => `10.0.0.${Math.floor(index / PER_ADDRESS)}`);
    expect(open(held)).toBe(forStrangers);
    expect(accept("10.0.1.1").destroyed).toBe(false);
    expect(open(held)).toBe(forStrangers - 1);
    // The oldest stay.
    expect(held[0]?.destroyed).toBe(false);
    expect(accept("127.0.0.1").destroyed).toBe(false);
    expect(open(held)).toBe(forStrangers - 1);
  });

  test("[W12] nor do four /64 of one IPv6 site", () => {
    const held = fill((index) => `2001:db8:1:${index % 4}::1`);
    expect(open(held)).toBe(forStrangers);
    const others = Array.from({ length: 1_000 }, (_, index) => accept(`2001:db8:2:${index % 2}::1`));
    expect(open(others)).toBe(1_000);
    expect(open(held)).toBe(forStrangers - 1_000);
  });

  test("[W12] when everybody holds one, the machine itself still has some", () => {
    const held = Array.from({ length: forStrangers + 1 }, (_, index) =>
      accept(`10.${Math.floor(index / 250)}.0.${index % 250}`),
    );
    expect(open(held)).toBe(forStrangers);
    const own = Array.from({ length: LIMITS.httpConnectionsForLoopback + 1 }, () =>
      accept("::ffff:127.0.0.1"),
    );
    expect(open(own)).toBe(LIMITS.httpConnectionsForLoopback);
    expect(open(held)).toBe(forStrangers);
  });

  test("[W12] an address opens so many at once and in a second, however short they are", () => {
    const come = (count: number) =>
      Array.from({ length: count }, () => {
        const socket = accept("10.0.0.1");
        const wasTaken = !socket.destroyed;
        socket.destroy();
        return wasTaken;
      }).filter(Boolean).length;
    expect(come(2 * LIMITS.httpOpensBurstPerAddress)).toBe(LIMITS.httpOpensBurstPerAddress);
    clock.advance(1_000);
    expect(come(2 * LIMITS.httpOpensPerSecondPerAddress)).toBe(LIMITS.httpOpensPerSecondPerAddress);
    expect(accept("10.0.0.2").destroyed).toBe(false);
  });

  test("[W12] one that is gone before it is looked at is not counted", () => {
    expect(accept(undefined as unknown as string).destroyed).toBe(true);
  });
});

describe("silence", () => {
  const options = () => ({ connections: new HttpConnections(new ManualClock()), headersMs: 300 });

  test("[W12] a connection that never sends a byte ends, and so does one whose head never ends", async () => {
    const server = createWebServer(null, options());
    const port = await listen(server, 0, "127.0.0.1");
    try {
      const silent = await comeIn(port);
      const half = await comeIn(port, "127.0.0.1", "GET / HTTP/1.1\r\nHost:");
      for (const stranger of [silent, half]) {
        await expect.poll(stranger.isOpen, { timeout: 10_000 }).toBe(false);
        const [head = "", body = ""] = stranger.heard().split("\r\n\r\n");
        expect(head).toMatch(/^HTTP\/1\.1 408 /);
        expect(apiErrorSchema.parse(JSON.parse(body)).error.code).toBe("REQUEST_TIMEOUT");
      }
    } finally {
      await closeServer(server);
    }
  });

  describe.skipIf(!hasOpenssl())("over TLS", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "chorus-tls-"));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    test("[W12] one that never says hello ends", async () => {
      const server = createWebServer(selfSigned(folder), options());
      const port = await listen(server, 0, "127.0.0.1");
      try {
        const silent = await comeIn(port);
        await expect.poll(silent.isOpen, { timeout: 10_000 }).toBe(false);
      } finally {
        await closeServer(server);
      }
    });

    test("[W12] connections are counted from accept to close, before anything is agreed", async () => {
      const tls = selfSigned(folder);
      const server = createWebServer(tls, { connections: new HttpConnections(new ManualClock()) });
      server.on("request", (_request, response) => response.end("hello"));
      const port = await listen(server, 0, "127.0.0.1");
      const ask = () =>
        new Promise<number | undefined>((resolve, reject) => {
          const agent = new Agent({ ca: tls.cert, keepAlive: false });
          get({ port, host: "127.0.0.1", servername: "localhost", agent }, (response) => {
            response.resume().on("end", () => resolve(response.statusCode));
          }).on("error", reject);
        });
      const held = await comeInMany(port, PER_ADDRESS - 1);
      try {
        // One place is left, again and again.
        for (let times = 0; times < 5; times++) {
          expect(await ask()).toBe(200);
          await pause(50);
        }
        held.push(await comeIn(port));
        await expect(ask()).rejects.toThrow();
      } finally {
        goAway(held);
        await closeServer(server);
      }
    });
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function selfSigned(folder: string): { readonly cert: Buffer; readonly key: Buffer } {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"];
  const files = ["-keyout", key, "-out", cert];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", [...args, ...files, ...name], { stdio: "ignore" });
  return { cert: readFileSync(cert), key: readFileSync(key) };
}
