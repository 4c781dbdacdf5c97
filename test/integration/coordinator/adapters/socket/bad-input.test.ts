import { randomBytes } from "node:crypto";
import { io, type Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { localSigner, verifySignature } from "#shared/crypto/signature.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import { type Reply, replySchema } from "#shared/protocol/messages/reply.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import { sendRaw } from "#test/kit/adversary/raw-http.ts";
import { RUN_ID } from "#test/kit/fakes/fake-core.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/*
 * Bad input on the sockets: a typed refusal or the end of that connection, nothing reached the core, nobody else is
 * disturbed. Each test ends by showing that another device can still log in and be heard.
 */

let shell: Shell;
const sockets: Socket[] = [];
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());
beforeEach(() => {
  shell.core.writes.length = 0;
});
afterEach(async () => {
  expect(shell.core.writes).toEqual([]);
  const bystander = await device();
  expect(await bystander.say({ type: "check-in", taskVersion: 1 })).toEqual({ type: "accepted" });
  expect(shell.core.writes).toEqual([{ name: "check-in", about: bystander.identity }]);
  for (const socket of sockets.splice(0)) socket.disconnect();
});

function open(namespace = "/device", options: object = {}): Socket {
  const socket = io(`${shell.url}${namespace}`, {
    transports: ["websocket"],
    forceNew: true,
    reconnection: false,
    ...options,
  });
  sockets.push(socket);
  return socket;
}

/** The decoded acknowledgement. */
async function ask(socket: Socket, payload: unknown): Promise<Reply> {
  const answer: unknown = await socket.timeout(60_000).emitWithAck("frame", payload);
  const reply = decodeFrame(answer, replySchema);
  if (!reply.ok) throw new Error(`no reply frame: ${JSON.stringify(reply.error)}`);
  return reply.value;
}

const say = (socket: Socket, message: object) => ask(socket, encodeFrame(message));
const codeOf = (reply: Reply) => (reply.type === "refused" ? reply.error.code : reply.type);

/** A device that has logged in with a join token, so that the limit per address does not apply. */
async function device(seed: Bytes = new Uint8Array(randomBytes(32))) {
  const socket = open();
  const signer = localSigner(seed);
  const challenge = await say(socket, hello(signer.publicKey));
  if (challenge.type !== "challenge") throw new Error("no challenge");
  const joinToken = await shell.access.mintJoinToken(1, 60_000);
  const signature = await signer.sign(
    E(DOMAINS.login, challenge.challenge, "default", "digits", signer.publicKey),
  );
  const welcome = await say(socket, { type: "authenticate", signature, joinToken });
  if (welcome.type !== "welcome") throw new Error(`no welcome: ${JSON.stringify(welcome)}`);
  return {
    socket,
    signer,
    identity: bytesToHex(signer.publicKey),
    welcome,
    say: (message: object) => say(socket, message),
  };
}

function hello(identity: Bytes, task = "digits") {
  return { type: "hello", protocol: "chorus/1", wire: WIRE_VERSION, task, identity };
}

describe("frames", () => {
  test("[W2] (29) a single byte 0xC1, an empty frame, null, text, numbers, no argument and two", async () => {
    const socket = open();
    for (const payload of [Uint8Array.of(0xc1), new Uint8Array(0), null, "frame", 1, { a: 1 }, [], true]) {
      expect(codeOf(await ask(socket, payload))).toBe("BAD_FRAME");
    }
    const none: unknown = await socket.timeout(60_000).emitWithAck("frame");
    expect(decodeFrame(none, replySchema)).toMatchObject({ value: { error: { code: "BAD_MESSAGE" } } });
    const two: unknown = await socket.timeout(60_000).emitWithAck("frame", Uint8Array.of(0x80), 1);
    expect(decodeFrame(two, replySchema)).toMatchObject({ value: { error: { code: "BAD_MESSAGE" } } });
  });

  test("[W2] (29) no acknowledgement, or an invalid one", async () => {
    const socket = open();
    for (const payload of [Uint8Array.of(0xc1), null, 1, encodeFrame(hello(new Uint8Array(32)))]) {
      socket.emit("frame", payload);
      socket.emit("frame", payload, "not a function");
      socket.emit("frame");
    }
    // In order on one connection: everything above has been handled.
    expect(codeOf(await ask(socket, Uint8Array.of(0xc1)))).toBe("BAD_FRAME");
  });

  test("[W2] (29) an unknown event is refused by name", async () => {
    const socket = open();
    for (const event of ["frames", "watch", "constructor", "__proto__", "toString"]) {
      const answer: unknown = await socket.timeout(60_000).emitWithAck(event, Uint8Array.of(0x80));
      expect(decodeFrame(answer, replySchema)).toMatchObject({ value: { error: { code: "BAD_MESSAGE" } } });
    }
  });

  test("[W3] (3, 6) a frame that is too long, too deep, or claims more than it holds", async () => {
    const { socket, identity } = await device();
    expect(codeOf(await ask(socket, new Uint8Array(LIMITS.frameByteCountMax + 1)))).toBe("TOO_LARGE");
    const deep = new Uint8Array(100_000).fill(0x91);
    expect(codeOf(await ask(socket, deep))).toBe("BAD_FRAME");
    expect(codeOf(await ask(socket, Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)))).toBe("BAD_FRAME");

    const ended = new Promise<void>((resolve) => socket.once("disconnect", () => resolve()));
    socket.emit("frame", new Uint8Array(2 * LIMITS.frameByteCountMax));
    await ended;
    await expect.poll(() => shell.core.down).toContain(identity);
  });

  test("(8, 26) messages with a field too many or too few, or of another type or length", async () => {
    const socket = open();
    const good = hello(new Uint8Array(randomBytes(32)));
    const bad: object[] = [
      {},
      { type: "hello" },
      { ...good, extra: 1 },
      { ...good, identity: new Uint8Array(31) },
      { ...good, identity: "x".repeat(32) },
      { ...good, protocol: "chorus/2" },
      { ...good, task: "../digits" },
      { ...good, type: "invite" },
      { ...good, type: ["hello"] },
      { type: "share", sid: "0".repeat(64), leaves: [], signature: new Uint8Array(64) },
      {
        type: "complaint",
        sid: "0".repeat(64),
        against: LIMITS.rosterSizeMax + 1,
        signature: new Uint8Array(64),
      },
      { type: "advertise", runId: "0".repeat(32), round: 2 ** 53, attempt: 1 },
    ];
    for (const message of bad)
      expect(codeOf(await say(socket, message)), JSON.stringify(message)).toBe("BAD_MESSAGE");
    expect((await say(socket, good)).type).toBe("challenge");
  });

  test("[W1] a fault inside is INTERNAL, without its text", async () => {
    const { say: tell } = await device();
    shell.core.breaks = true;
    const reply = await tell({ type: "leave" });
    shell.core.breaks = false;
    expect(codeOf(reply)).toBe("INTERNAL");
    expect(JSON.stringify(reply)).not.toContain("planted");
  });

  test("[W2] too many events at once are refused, then accepted again", async () => {
    const socket = open();
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    const answers = await Promise.all(Array.from({ length: 80 }, () => ask(socket, Uint8Array.of(0xc1))));
    const codes = answers.map(codeOf);
    expect(codes.filter((code) => code === "RATE_LIMITED").length).toBeGreaterThan(10);
    expect(codes[0]).toBe("BAD_FRAME");
    await expect.poll(async () => codeOf(await ask(socket, Uint8Array.of(0xc1)))).toBe("BAD_FRAME");
  });

  test("[W2] a flood ends the connection", async () => {
    const socket = open();
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    const ended = new Promise<void>((resolve) => socket.once("disconnect", () => resolve()));
    for (let sent = 0; sent < 2_000; sent++) socket.emit("frame", Uint8Array.of(0xc1));
    await ended;
  });
});

describe("login", () => {
  test("[W5] welcome carries a certificate that the issuer signed over this identity", async () => {
    const { welcome, signer } = await device();
    const signed = E(DOMAINS.certificate, "default", signer.publicKey);
    expect(
      await verifySignature(javascriptPrimitives(), welcome.issuerKey, signed, welcome.certificate),
    ).toBe(true);
    const foreign = E(DOMAINS.certificate, "other", signer.publicKey);
    expect(
      await verifySignature(javascriptPrimitives(), welcome.issuerKey, foreign, welcome.certificate),
    ).toBe(false);
  });

  test("[W5] before the login only hello is heard", async () => {
    const socket = open();
    for (const message of [{ type: "check-in", taskVersion: 1 }, { type: "leave" }]) {
      expect(codeOf(await say(socket, message))).toBe("NOT_AUTHENTICATED");
    }
    expect(codeOf(await say(socket, { type: "authenticate", signature: new Uint8Array(64) }))).toBe(
      "NOT_AUTHENTICATED",
    );
  });

  test("[W5] nothing is looked up for a device that has signed nothing, and tokens are tried a few times only", async () => {
    const own = await openShell();
    const before = shell;
    shell = own;
    try {
      const signer = localSigner(new Uint8Array(randomBytes(32)));
      const join = async (task: string, sign: (item: Bytes) => Promise<Bytes>, joinToken?: string) => {
        const socket = open();
        const challenge = await say(socket, hello(signer.publicKey, task));
        if (challenge.type !== "challenge") throw new Error(`no challenge: ${codeOf(challenge)}`);
        const signature = await sign(
          E(DOMAINS.login, challenge.challenge, "default", task, signer.publicKey),
        );
        const token = joinToken === undefined ? {} : { joinToken };
        const code = codeOf(await say(socket, { type: "authenticate", signature, ...token }));
        socket.disconnect();
        return code;
      };
      const madeUp = "a".repeat(64);
      for (const task of ["digits", "nothing"])
        expect(await join(task, async () => new Uint8Array(64), madeUp)).toBe("BAD_SIGNATURE");
      expect(own.store.calls).toEqual([]);
      expect(await join("nothing", signer.sign)).toBe("UNKNOWN_TASK");
      expect(own.store.calls).toEqual(["findEnrolments", "hasDevice", "findPlaces"]);
      for (let tried = 0; tried < 2 * LIMITS.joinsBurstPerAddress; tried++)
        await join("nothing", signer.sign, madeUp);
      expect(own.store.calls).not.toContain("noteDevice");
    } finally {
      shell = before;
      await own.close();
    }
  });

  test("[W5] (20, 24) wrong key, wrong project, wrong task, replayed challenge, another's challenge", async () => {
    const signer = localSigner(new Uint8Array(randomBytes(32)));
    const other = localSigner(new Uint8Array(randomBytes(32)));
    const attempt = async (sign: (challenge: Bytes) => Promise<Bytes>) => {
      const socket = open();
      const challenge = await say(socket, hello(signer.publicKey));
      if (challenge.type !== "challenge") throw new Error("no challenge");
      const message = { type: "authenticate", signature: await sign(challenge.challenge) };
      const first = codeOf(await say(socket, message));
      // The challenge is used up, even by a wrong answer.
      expect(codeOf(await say(socket, message))).toBe(first === "welcome" ? "STATE" : "NOT_AUTHENTICATED");
      return first;
    };
    const item = (challenge: Bytes, project = "default", task = "digits") =>
      E(DOMAINS.login, challenge, project, task, signer.publicKey);
    let seen: Bytes = new Uint8Array(32);
    const remembering = (challenge: Bytes) => {
      seen = challenge;
      return signer.sign(item(challenge));
    };
    expect(await attempt((challenge) => other.sign(item(challenge)))).toBe("BAD_SIGNATURE");
    expect(await attempt((challenge) => signer.sign(item(challenge, "other")))).toBe("BAD_SIGNATURE");
    expect(await attempt((challenge) => signer.sign(item(challenge, "default", "hmda")))).toBe(
      "BAD_SIGNATURE",
    );
    expect(await attempt(remembering)).toBe("welcome");
    expect(await attempt(() => signer.sign(item(seen)))).toBe("BAD_SIGNATURE");
  });

  test("[W5] (25) keys of small order and signatures that only a lax check accepts", async () => {
    const identity = new Uint8Array(32);
    identity[0] = 1;
    const socket = open();
    expect((await say(socket, hello(identity))).type).toBe("challenge");
    const forged = new Uint8Array(64);
    forged[0] = 1;
    expect(codeOf(await say(socket, { type: "authenticate", signature: forged }))).toBe("BAD_SIGNATURE");
  });

  test("[W5] [R30] (19) joins per address are limited; a spent, expired or made-up token lifts nothing", async () => {
    // The clock stands still, so that no join is restored while a slow machine is busy.
    const other = await openShell({ clock: { nowMs: () => 0 } });
    const before = shell;
    shell = other;
    try {
      const join = async (joinToken?: string) => {
        const socket = open();
        const signer = localSigner(new Uint8Array(randomBytes(32)));
        const challenge = await say(socket, hello(signer.publicKey));
        if (challenge.type !== "challenge") throw new Error("no challenge");
        const signature = await signer.sign(
          E(DOMAINS.login, challenge.challenge, "default", "digits", signer.publicKey),
        );
        return codeOf(
          await say(socket, {
            type: "authenticate",
            signature,
            ...(joinToken === undefined ? {} : { joinToken }),
          }),
        );
      };
      for (let joined = 0; joined < LIMITS.joinsBurstPerAddress; joined++)
        expect(await join()).toBe("welcome");
      // R30: they count for their address; a device that an operator invites does not.
      await expect.poll(() => other.core.addresses).toHaveLength(LIMITS.joinsBurstPerAddress);
      expect(new Set(other.core.addresses)).toEqual(new Set(["127.0.0.1"]));
      const token = await other.access.mintJoinToken(1, 60_000);
      expect(await join()).toBe("RATE_LIMITED");
      expect(await join(token)).toBe("welcome");
      await expect.poll(() => other.core.addresses.at(-1)).toBeNull();
      expect(await join(token)).toBe("RATE_LIMITED");
      expect(await join(await other.access.mintJoinToken(1, -1))).toBe("RATE_LIMITED");
      expect(await join("f".repeat(64))).toBe("RATE_LIMITED");
      expect(await join("\ud800")).toBe("RATE_LIMITED");
    } finally {
      shell = before;
      await other.close();
    }
  });

  test("[W6] a second connection of an identity replaces the first, which is told why", async () => {
    const seed = new Uint8Array(randomBytes(32));
    const first = await device(seed);
    const end = new Promise((resolve) => first.socket.once("end", resolve));
    const gone = new Promise((resolve) => first.socket.once("disconnect", resolve));
    const downBefore = shell.core.down.length;
    const second = await device(seed);
    expect(decodeFrame(await end, replySchema)).toMatchObject({
      value: { error: { code: "ALREADY_CONNECTED" } },
    });
    await gone;
    const pushed = new Promise((resolve) => second.socket.once("frame", resolve));
    shell.devices.send(second.identity, { type: "run-ended", runId: RUN_ID, state: "completed" });
    expect(decodeFrame(await pushed, coordinatorMessageSchema)).toMatchObject({
      value: { type: "run-ended" },
    });
    // The device was never away.
    expect(shell.core.down.length).toBe(downBefore);
    expect(shell.core.up.filter((identity) => identity === second.identity).length).toBe(2);
    second.socket.disconnect();
    await expect.poll(() => shell.core.down).toContain(second.identity);
  });

  test("[W6] what a device sent and received is counted", async () => {
    const someone = await device();
    const before = shell.devices.traffic(someone.identity);
    const frame = encodeFrame({ type: "check-in", taskVersion: 1 });
    await ask(someone.socket, frame);
    shell.core.writes.length = 0;
    const after = shell.devices.traffic(someone.identity);
    expect(after.upByteCount - before.upByteCount).toBe(frame.length);
    expect(after.downByteCount).toBeGreaterThan(before.downByteCount);
    const ended = new Promise((resolve) => someone.socket.once("disconnect", resolve));
    shell.devices.drop(someone.identity, "BAD_MESSAGE");
    await ended;
  });
});

describe("connections", () => {
  const refused = (socket: Socket) =>
    new Promise<string>((resolve) => socket.once("connect_error", (error) => resolve(error.message)));

  test("[W8] (30) a foreign origin and a foreign host get no socket", async () => {
    expect(await refused(open("/device", { extraHeaders: { origin: "https://evil.example" } }))).toBeTruthy();
    expect(await refused(open("/dash", { extraHeaders: { host: "evil.example" } }))).toBeTruthy();
    const own = open("/device", { extraHeaders: { origin: shell.url } });
    await new Promise<void>((resolve) => own.once("connect", () => resolve()));
  });

  test("(29) unknown namespaces, a thousand of them", async () => {
    expect(await refused(open("/"))).toBe("NOT_FOUND");
    expect(await refused(open("/nothing"))).toMatch(/namespace/i);
    const socket = open();
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    const ended = new Promise<void>((resolve) => socket.once("disconnect", () => resolve()));
    for (let joined = 0; joined < 1_000; joined++) {
      // As the client's own engine writes it: packet type 4 (message), then 0 (connect) to a namespace.
      (socket.io.engine as unknown as { write(data: string): void }).write(`0/n${joined},`);
    }
    await ended;
  });

  test("(29) garbage and eleven attachments end only that connection", async () => {
    for (const packet of [
      "garbage",
      '511-/device,["frame"]',
      '51-/device,1["frame",{"_placeholder":true,"num":5}]',
      "2/device,",
      "2/device,[]",
      '2/device,["frame"',
      `2/device,${"[".repeat(50_000)}`,
    ]) {
      const socket = open();
      await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
      (socket.io.engine as unknown as { write(data: string): void }).write(packet);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  test("[W1] whatever opens no socket at its address is refused with a code and a sentence", async () => {
    const handshake = "EIO=4&transport=websocket";
    const good = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const upgrade = async (query: string, more = good + key, host = "localhost", method = "GET") =>
      sendRaw(
        shell.port,
        `${method} /socket.io/?${query} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\n${more}\r\n`,
      );
    const foreign = `${good}${key}Origin: https://evil.example\r\n`;
    const answers = {
      polling: sendRaw(
        shell.port,
        "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      ),
      "a post": sendRaw(
        shell.port,
        "POST /socket.io/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
      ),
      "an upgrade of a post": upgrade(handshake, good + key, "localhost", "POST"),
      "an unknown transport": upgrade("EIO=4&transport=toString"),
      "two transports": upgrade(`${handshake}&transport=polling`),
      "an earlier protocol": upgrade("EIO=3&transport=websocket"),
      "no query": upgrade(""),
      "a session": upgrade(`${handshake}&sid=x`),
      "an empty session": upgrade(`${handshake}&sid=`),
      "no key": upgrade(handshake, good),
      "another version of WebSocket": upgrade(handshake, `${good.replace("13", "1")}${key}`),
      "another protocol": upgrade(handshake, `${good.replace("websocket", "h2c")}${key}`),
    };
    for (const [name, answer] of Object.entries(answers)) {
      const { status, headers, body } = await answer;
      expect([name, status, headers.get("content-type")]).toEqual([name, 400, "application/json"]);
      expect(apiErrorSchema.parse(JSON.parse(body)).error.code, name).toBe("BAD_REQUEST");
    }
    for (const answer of [upgrade(handshake, foreign), upgrade(handshake, good + key, "evil.example")]) {
      const { status, body } = await answer;
      expect(status).toBe(403);
      expect(apiErrorSchema.parse(JSON.parse(body)).error.code).toBe("FORBIDDEN");
    }
  });
});

const OF_RUN = { runId: RUN_ID, projectId: "default" };

describe("dashboards", () => {
  test("[W2] watch takes a ticket, a run or all, nothing else, and needs no acknowledgement", async () => {
    const dash = open("/dash");
    const watch = (payload: unknown): Promise<unknown> => dash.timeout(60_000).emitWithAck("watch", payload);
    for (const payload of [
      null,
      1,
      {},
      { runId: "x" },
      { all: false },
      { all: true, runId: RUN_ID },
      { runId: { $gt: "" } },
      { ticket: "x" },
      { ticket: shell.ticket(), all: true },
      Uint8Array.of(0xc1),
    ]) {
      expect(await watch(payload)).toMatchObject({ error: { code: "BAD_MESSAGE" } });
    }
    expect(await dash.timeout(60_000).emitWithAck("run", {})).toMatchObject({
      error: { code: "BAD_MESSAGE" },
    });
    expect(await watch({ all: true })).toMatchObject({ error: { code: "NOT_AUTHENTICATED" } });
    dash.emit("watch", { ticket: shell.ticket() });
    dash.emit("watch", { all: true });
    dash.emit("watch", null);
    expect(await watch({ runId: RUN_ID })).toEqual({ ok: true });
    const heard: unknown[] = [];
    dash.on("run", (view: unknown) => heard.push(view));
    shell.broadcast.publish("run", OF_RUN, { runId: RUN_ID } as never);
    shell.broadcast.publish("run", { ...OF_RUN, runId: "f".repeat(32) }, { runId: "f" } as never);
    await expect.poll(() => heard).toEqual([{ runId: RUN_ID }, { runId: "f" }]);
  });
});
