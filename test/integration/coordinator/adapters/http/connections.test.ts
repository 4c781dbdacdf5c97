import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, get } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HttpConnections } from "#coordinator/adapters/http/connections.ts";
import { closeServer, listen } from "#coordinator/adapters/http/listen.ts";
import { createWebServer } from "#coordinator/adapters/http/server.ts";
import { readTrustedProxies } from "#coordinator/adapters/http/trusted-proxies.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { openRawSocket } from "#test/kit/adversary/raw-socket.ts";
import { comeIn, comeInMany, countOpen, goAway, type Stranger } from "#test/kit/connections.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { hasOpenssl, selfSigned } from "#test/kit/self-signed.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/* How many connections a stranger may hold, and for how long silently. */

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
    // A refused connection is refused at once.
    await pause(300);
    return come;
  };

  test("[W12] are limited per address; the next is closed at once, and others still get in", async () => {
    const held = await come(PER_ADDRESS, "127.0.0.2");
    expect(countOpen(held)).toBe(PER_ADDRESS);
    expect(countOpen(await come(10, "127.0.0.2"))).toBe(0);
    expect((await fetch(`${shell.url}/livez`)).status).toBe(200);
    goAway(held.slice(0, 10));
    await pause(300);
    expect(countOpen(await come(10, "127.0.0.2"))).toBe(10);
  });

  test("[W12] allow six each to a hundred browsers behind one address", async () => {
    const room = await comeInMany(shell.port, 600, "127.0.0.2", GREETING);
    strangers.push(...room);
    const greeted = () => room.filter(({ heard }) => heard().startsWith("HTTP/1.1 200")).length;
    await expect.poll(greeted, { timeout: 20_000 }).toBe(600);
  });

  test("[W12] exclude WebSockets, which have their own limit", async () => {
    const sockets = await Promise.all(
      Array.from({ length: 10 }, () => openRawSocket(shell.url, "127.0.0.2")),
    );
    expect(sockets.every((socket) => socket?.isOpen)).toBe(true);
    expect(countOpen(await come(PER_ADDRESS, "127.0.0.2"))).toBe(PER_ADDRESS);
    expect(countOpen(await come(1, "127.0.0.2"))).toBe(0);
    for (const socket of sockets) socket?.close();
    await pause(300);
    // Closing them frees no place that was not theirs.
    expect(countOpen(await come(1, "127.0.0.2"))).toBe(0);
  });

  test("[W12] include an upload that is cut off, which then frees its place", async () => {
    const head = `PUT /api/v1/uploads/${"0".repeat(64)}/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\nabc`;
    const uploads = await comeInMany(shell.port, PER_ADDRESS, "127.0.0.2", head);
    goAway(uploads);
    // All places are free again once the server has noticed.
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

  test("[W12] four addresses do not shut out others: one that holds few displaces the newest of one that holds most", () => {
    const held = fill((index) => `10.0.0.${Math.floor(index / PER_ADDRESS)}`);
    expect(open(held)).toBe(forStrangers);
    expect(accept("10.0.1.1").destroyed).toBe(false);
    expect(open(held)).toBe(forStrangers - 1);
    // The oldest stay.
    expect(held[0]?.destroyed).toBe(false);
    expect(accept("127.0.0.1").destroyed).toBe(false);
    expect(open(held)).toBe(forStrangers - 1);
  });

  test("[W12] neither do four /64 of one IPv6 site", () => {
    const held = fill((index) => `2001:db8:1:${index % 4}::1`);
    expect(open(held)).toBe(forStrangers);
    const others = Array.from({ length: 1_000 }, (_, index) => accept(`2001:db8:2:${index % 2}::1`));
    expect(open(others)).toBe(1_000);
    expect(open(held)).toBe(forStrangers - 1_000);
  });

  test("[W12] if everybody holds one, the machine itself still has some", () => {
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

  test("[W12] an address may open a limited number at once and per second, however short they are", () => {
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

  describe("behind a trusted proxy", () => {
    const trusted = readTrustedProxies("10.9.9.9");
    assert(trusted.ok, "a proxy");
    beforeEach(() => {
      connections = new HttpConnections(clock, trusted.value);
    });
    /** The proxy's connections, each with a request from the client at its index. */
    const carry = (count: number, clientOf: (index: number) => string) =>
      Array.from({ length: count }, (_, index) => {
        const socket = accept("10.9.9.9");
        return { socket, carries: connections.carries(socket as unknown as Socket, clientOf(index)) };
      });
    const deliver = (socket: FakeSocket) => connections.delivered(socket as unknown as Socket);

    test("[W16] the proxy itself is not one person, however many it opens, but its clients are", () => {
      const own = Array.from({ length: 2 * PER_ADDRESS }, () => accept("10.9.9.9"));
      expect(open(own)).toBe(2 * PER_ADDRESS);
      // Positive control: anyone else is stopped.
      expect(open(Array.from({ length: 2 * PER_ADDRESS }, () => accept("10.9.9.8")))).toBe(PER_ADDRESS);
      for (const socket of own) socket.destroy();
      const greedy = carry(PER_ADDRESS + 1, () => "198.51.100.1");
      expect(greedy.filter(({ carries }) => carries).length).toBe(PER_ADDRESS);
      expect(carry(1, () => "198.51.100.2")[0]?.carries).toBe(true);
    });

    test("[W16] a client's place is free once its request is answered or its connection is gone", () => {
      const held = carry(PER_ADDRESS, () => "198.51.100.1");
      expect(carry(1, () => "198.51.100.1")[0]?.carries).toBe(false);
      const [first, second] = held;
      deliver(present(first, "one").socket);
      expect(carry(1, () => "198.51.100.1")[0]?.carries).toBe(true);
      expect(carry(1, () => "198.51.100.1")[0]?.carries).toBe(false);
      present(second, "one").socket.destroy();
      deliver(present(second, "one").socket);
      expect(carry(1, () => "198.51.100.1")[0]?.carries).toBe(true);
      expect(carry(1, () => "198.51.100.1")[0]?.carries).toBe(false);
      // The same connection then carries another client's request.
      expect(connections.carries(present(first, "one").socket as unknown as Socket, "198.51.100.2")).toBe(
        true,
      );
    });

    test("[W16] if all places are taken, the client who holds most makes room", () => {
      for (let client = 0; client < 4; client++) carry(PER_ADDRESS, () => `198.51.100.${client}`);
      const newcomer = accept("10.9.9.9");
      expect(newcomer.destroyed).toBe(false);
      expect(accept("203.0.113.7").destroyed).toBe(false);
    });
  });

  test("[W12] a connection that is gone before it is looked at is not counted", () => {
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

    test("[W12] a connection without a TLS hello ends", async () => {
      const server = createWebServer(selfSigned(folder), options());
      const port = await listen(server, 0, "127.0.0.1");
      try {
        const silent = await comeIn(port);
        await expect.poll(silent.isOpen, { timeout: 10_000 }).toBe(false);
      } finally {
        await closeServer(server);
      }
    });

    test("[W12] connections are counted from accept to close, even before the handshake", async () => {
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
