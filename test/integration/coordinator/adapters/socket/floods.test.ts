import { EventEmitter } from "node:events";
import { connect, type Socket as TcpSocket } from "node:net";
import { Encoder } from "@msgpack/msgpack";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Clients } from "#coordinator/adapters/http/clients.ts";
import { NO_PROXIES } from "#coordinator/adapters/http/trusted-proxies.ts";
import { type Connection, TransportLimits } from "#coordinator/adapters/socket/transport-limits.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { replySchema } from "#shared/protocol/messages/reply.ts";
import { sendRaw } from "#test/kit/adversary/raw-http.ts";
import { joinRawSocket, openRawSocket, type RawSocket } from "#test/kit/adversary/raw-socket.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/*
 * What one connection, or all of one address, may cost: bytes, packets, pings, connections and reading time, each with
 * the refusal or the end of the connection that enforces it.
 */

let shell: Shell;
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());

/** The events that the limits listen to, by hand. */
function fakeConnection(limits: TransportLimits, id: string, remoteAddress: string) {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress,
    writableLength: 0,
    destroyed: false,
    destroy: () => {
      socket.destroyed = true;
    },
    connection: Object.assign(new EventEmitter(), {
      id,
      closed: false,
      close: () => {
        socket.connection.closed = true;
      },
    }),
  });
  limits.add(Object.assign(socket.connection, { request: { socket, headers: {} } }) as unknown as Connection);
  return socket;
}

async function replyTo(socket: RawSocket, id: number): Promise<string | null> {
  const announced = await socket.hear((packet) => packet.startsWith(`61-/device,${id}[`));
  const bytes = await socket.hear((packet) => packet.startsWith("binary:"));
  if (announced === null || bytes === null) return null;
  const reply = decodeFrame(new Uint8Array(Buffer.from(bytes.slice("binary:".length), "hex")), replySchema);
  if (!reply.ok) return null;
  return reply.value.type === "refused" ? reply.value.error.code : reply.value.type;
}

function sendFrame(socket: RawSocket, id: number, bytes: Uint8Array): void {
  socket.say(`51-/device,${id}["frame",{"_placeholder":true,"num":0}]`);
  socket.sayBytes(bytes);
}

describe("frames before the login", () => {
  test("[W3] larger than a small message are not decoded", async () => {
    const socket = await joinRawSocket(shell.url, "/device");
    const keys = (count: number) =>
      new Encoder().encode(
        Object.fromEntries([["type", "share"], ...Array.from({ length: count }, (_, key) => [`${key}`, 0])]),
      );
    const frames = [
      keys(2_000),
      encodeFrame({ type: "hello", junk: new Uint8Array(LIMITS.smallFrameByteCountMax) }),
      encodeFrame({ type: "unmask", junk: new Array(LIMITS.smallFrameEntryCountMax).fill(0) }),
    ];
    for (const [id, frame] of frames.entries()) {
      sendFrame(socket, id, frame);
      expect(await replyTo(socket, id)).toBe("TOO_LARGE");
    }
    // A frame that is too large even for a small message is not waited for.
    sendFrame(socket, 9, keys(150_000));
    await socket.ended;
  });
});

describe("one connection", () => {
  test("[W2] more bytes than allowed end it, whatever they are; after the login it may send more", () => {
    const clock = new ManualClock();
    const limits = new TransportLimits(new Clients(NO_PROXIES, { strict: false }), clock);
    const receive = (id: string, byteCount: number, isLoggedIn: boolean) => {
      const socket = fakeConnection(limits, id, "10.0.0.1");
      if (isLoggedIn) limits.loggedIn(id, { isInvited: false });
      for (let received = 0; received < byteCount; received += 1_000) socket.emit("data", { length: 1_000 });
      return socket.destroyed;
    };
    expect(receive("a", LIMITS.socketBytesBurstBeforeLogin, false)).toBe(false);
    expect(receive("b", LIMITS.socketBytesBurstBeforeLogin + 1_000, false)).toBe(true);
    expect(receive("c", LIMITS.socketBytesBurst, true)).toBe(false);
    expect(receive("d", LIMITS.socketBytesBurst + 1_000, true)).toBe(true);
    for (let used = 2 * LIMITS.socketBytesBurst; used < LIMITS.socketBytesBurstPerAddress; )
      used += receive(`${used}`, LIMITS.socketBytesBurst, true)
        ? LIMITS.socketBytesBurstPerAddress
        : LIMITS.socketBytesBurst;
    expect(receive("e", LIMITS.socketBytesBurst, true)).toBe(true);
  });

  test("[W2] more packets than an address may send end its connections, but not an invited one", () => {
    const limits = new TransportLimits(new Clients(NO_PROXIES, { strict: false }), new ManualClock());
    const guest = fakeConnection(limits, "guest", "10.0.0.1");
    limits.loggedIn("guest", { isInvited: true });
    for (let sent = 0; sent < LIMITS.socketPacketsBurst; sent++) guest.connection.emit("packet");
    expect(guest.connection.closed).toBe(false);
    let sent = 0;
    for (let index = 0; sent < LIMITS.socketPacketsBurstPerAddress; index++) {
      const { connection } = fakeConnection(limits, `${index}`, "10.0.0.1");
      for (let own = 0; own < LIMITS.socketPacketsBurst; own++, sent++) connection.emit("packet");
      expect(connection.closed).toBe(false);
    }
    const { connection } = fakeConnection(limits, "last", "10.0.0.1");
    connection.emit("packet");
    expect(connection.closed).toBe(true);
  });

  test("[W2] pings beyond their rate end it, and a few are answered", async () => {
    const socket = await joinRawSocket(shell.url, "/dash");
    const answered = socket.pong();
    socket.ping();
    await answered;
    for (let sent = 0; sent < 200; sent++) socket.ping();
    await socket.ended;
  });

  test("[W2] a connection that does not read is ended, and the others keep receiving", async () => {
    const deaf = await joinRawSocket(shell.url, "/dash");
    const other = await joinRawSocket(shell.url, "/dash");
    for (const socket of [deaf, other]) {
      socket.say(`2/dash,0["watch",{"ticket":"${shell.ticket()}"}]`);
      socket.say('2/dash,1["watch",{"all":true}]');
      await socket.hear((packet) => packet.startsWith("3/dash,1"));
    }
    deaf.stopReading();
    const view = { runId: "x".repeat(500_000) } as never;
    const countMax = 20 + (4 * LIMITS.socketUnreadByteCountMax) / 500_000;
    for (let sent = 0; sent < countMax; sent++) {
      shell.broadcast.publish("run", { runId: "a".repeat(32), projectId: "default" }, view);
      expect(await other.hear((packet) => packet.startsWith('2/dash,["run"'))).not.toBeNull();
    }
    deaf.readOn();
    await deaf.ended;
    other.close();
  });
});

describe("time", () => {
  test("[W2] reading that takes too long is refused by a code, and then by the end of the connection", async () => {
    let nowMs = 0;
    // Each reading of this clock is later than the whole budget, so one frame is too much.
    const own = await openShell({ clock: { nowMs: () => (nowMs += 2 * LIMITS.socketReadingMsBurst) } });
    try {
      const socket = await joinRawSocket(own.url, "/device");
      const codes: (string | null)[] = [];
      for (let id = 0; id < 3; id++) {
        sendFrame(socket, id, Uint8Array.of(0xc1));
        codes.push(await Promise.race([replyTo(socket, id), socket.ended.then(() => null)]));
      }
      expect(codes.slice(0, 2)).toEqual(["BAD_FRAME", "RATE_LIMITED"]);
      await socket.ended;
      // The cause was the time, not the transport: without such frames a connection stays.
      const other = await joinRawSocket(own.url, "/device");
      other.say('2/device,1["nothing"]');
      expect(await replyTo(other, 1)).toBe("BAD_MESSAGE");
      expect(other.isOpen).toBe(true);
      other.close();
    } finally {
      await own.close();
    }
  });

  test("[W2] counts for the connection and for its address, but only for itself if the device is invited", () => {
    const clock = new ManualClock();
    const limits = new TransportLimits(new Clients(NO_PROXIES, { strict: false }), clock);
    for (const id of ["a", "b", "c", "guest"]) fakeConnection(limits, id, "10.0.0.1");
    fakeConnection(limits, "far", "10.0.0.2");
    limits.loggedIn("guest", { isInvited: true });
    limits.spent("a", LIMITS.socketReadingMsBurst + 1);
    expect(["a", "b", "guest", "far"].map((id) => limits.isLeft(id))).toEqual([false, true, true, true]);
    limits.spent("b", LIMITS.socketReadingMsBurstPerAddress);
    expect(["c", "guest", "far"].map((id) => limits.isLeft(id))).toEqual([false, true, true]);
    limits.spent("guest", 2 * LIMITS.socketReadingMsBurst);
    expect(limits.isLeft("guest")).toBe(false);
    clock.advance(1_000 * (LIMITS.socketReadingMsBurst / LIMITS.socketReadingMsPerSecond));
    expect(["a", "b", "c", "guest"].map((id) => limits.isLeft(id))).toEqual([true, true, true, true]);
  });
});

describe("one address", () => {
  test("[W2] may open a limited number of connections per second", async () => {
    const own = await openShell();
    try {
      let refused = 0;
      for (let opened = 0; opened < 2 * LIMITS.socketOpensBurstPerAddress && refused === 0; opened++) {
        const socket = await openRawSocket(own.url);
        if (socket === null) refused += 1;
        socket?.close();
      }
      expect(refused).toBe(1);
    } finally {
      await own.close();
    }
  });

  test("[W10] is told why its upgrades are refused a limited number of times", async () => {
    const own = await openShell();
    try {
      const port = Number(new URL(own.url).port);
      const upgrade = [
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
        "Host: elsewhere.example",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "",
        "",
      ].join("\r\n");
      const statuses: number[] = [];
      for (let count = 0; count < LIMITS.socketOpensBurstPerAddress + 100; count++)
        statuses.push((await sendRaw(port, upgrade)).status);
      expect(new Set(statuses)).toEqual(new Set([403, 0]));
      expect(statuses[0]).toBe(403);
      expect(statuses.filter((status) => status === 0).length).toBeGreaterThan(0);
    } finally {
      await own.close();
    }
  });

  test("[W2] gets no access by a session id in the address, whatever it names", async () => {
    for (const sid of ["__proto__", "toString", "hasOwnProperty", "x".repeat(1_000), "%00"]) {
      for (const query of [
        `transport=websocket&sid=${sid}`,
        `transport=${sid}`,
        `transport=polling&sid=${sid}`,
      ]) {
        const answer = await upgrade(`/socket.io/?EIO=4&${query}`);
        expect(answer === "" || answer.startsWith("HTTP/1.1 400")).toBe(true);
      }
    }
    expect((await fetch(`${shell.url}/livez`)).status).toBe(200);
  });

  function upgrade(path: string): Promise<string> {
    return new Promise((resolve) => {
      const socket: TcpSocket = connect(shell.port, "127.0.0.1");
      let answer = "";
      socket.on("data", (chunk) => {
        answer += chunk.toString("latin1");
      });
      socket.on("error", () => resolve(answer));
      socket.on("close", () => resolve(answer));
      socket.setTimeout(5_000, () => socket.destroy());
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
      );
    });
  }
});
