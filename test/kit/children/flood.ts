import { randomBytes } from "node:crypto";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { Encoder } from "@msgpack/msgpack";
import { type WebSocket, WebSocketServer } from "ws";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { type Reply, replySchema } from "#shared/protocol/messages/reply.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import type { Flood, FloodOrder, FromFlood } from "../adversary/floods.ts";
import { largeTask } from "../adversary/large-task.ts";
import { joinRawSocket, type RawSocket } from "../adversary/raw-socket.ts";
import { comeIn } from "../connections.ts";

/*
 * Runs one kind of flood in a process of the lowest priority until told to end. It uses loopback addresses that it does
 * not share with the devices. Argument: a FloodOrder as JSON.
 */

const NICE_LOWEST = 19;
/** Linux has all of 127.0.0.0/8 on its loopback. */
const ADDRESSES = ["127.0.0.2", "127.0.0.3"] as const;
const EVENTS_EVERY_MS = 20;
const RETRY_MS = 50;
/** The sender gives up a silent connection after this time. */
const STAY_MS = 30_000;
/** Headers that have the right shape and nothing else. */
const MADE_UP_INPUT = {
  "chorus-slot": "A".repeat(43),
  "chorus-sha256": "0".repeat(64),
  "chorus-root": "0".repeat(64),
  "chorus-signature": "0".repeat(128),
};

const order = JSON.parse(process.argv[2] ?? "{}") as FloodOrder;
setPriority(0, NICE_LOWEST);
const agent = new Agent({ keepAlive: true, maxSockets: 256, localAddress: ADDRESSES[0] });
let isOver = false;
let sent = 0;
/** A large task that this flood has created. */
let largeSlug = "none";
process.on("message", () => {
  isOver = true;
  tell({ type: "ended", sent });
  setTimeout(() => process.exit(0), 50);
});
process.once("disconnect", () => process.exit(0));

const url = order.url ?? (await openSink());
const port = Number(new URL(url).port);
const modelPath = `/api/v1/models/${await newestModel()}`;
const senders = sendersOf(order.flood);
tell({ type: "begun" });
await Promise.all(senders.map((send) => again(send)));

function tell(message: FromFlood): void {
  process.send?.(message);
}

/** Each sender runs until its connection ends or its answer has come, and is then started again. */
function sendersOf(flood: Flood): (() => Promise<void>)[] {
  const times = (count: number, send: (index: number) => Promise<void>) =>
    Array.from({ length: count }, (_, index) => () => send(index));
  switch (flood) {
    case "reserved events":
      return times(32, (index) => reservedEvents(index % 2 === 0 ? "/dash" : "/device"));
    case "frames of map keys": {
      const frame = frameOfKeys();
      return times(4, () => frames(frame));
    }
    case "JSON of keys": {
      const json = jsonOfKeys();
      return times(8, () => post("/api/v1/tasks", json));
    }
    case "task lists, 32 connections":
      return times(32, () => get("/api/v1/tasks?limit=200"));
    case "task lists, 200 connections":
      return times(200, () => get("/api/v1/tasks?limit=200"));
    case "hello, 64 connections":
      return times(64, () => hellos());
    case "16 devices that check in and leave":
      return times(16, (index) => comeAndGo(ADDRESSES[index % ADDRESSES.length] as string));
    case "launches that cannot run":
      return times(2, () => post("/api/v1/runs", JSON.stringify({ task: order.hopelessTask, rounds: 1 })));
    case "silent connections, 1500":
      return times(1_500, () => stay());
    case "connections that come and go":
      return times(64, async () => {
        (await comeIn(port, ADDRESSES[0])).socket.destroy();
        sent += 1;
      });
    case "unknown addresses, 64 connections":
      return times(64, () => get("/api/v1/nothing"));
    case "uploads to made-up sessions, 64 connections":
      return times(64, () => get(`/api/v1/uploads/${randomBytes(32).toString("hex")}/1`, MADE_UP_INPUT));
    case "downloads of a model, 200 connections":
      return times(200, () => get(modelPath));
    case "downloads that nobody reads, 200 connections":
      return times(200, () => stay(`GET ${modelPath} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
    case "large task lists":
      return [
        ...times(4, createLargeTask),
        ...times(16, () => get("/api/v1/tasks?limit=200")),
        ...times(16, () => get(`/api/v1/tasks/${largeSlug}`)),
      ];
  }
}

async function again(send: () => Promise<void>): Promise<void> {
  while (!isOver) {
    await send().catch(() => undefined);
    await pause(RETRY_MS);
  }
}

async function withSocket(
  namespace: string,
  use: (socket: RawSocket) => Promise<void>,
  address: string = ADDRESSES[0],
): Promise<void> {
  const socket = await joinRawSocket(url, namespace, address);
  try {
    await use(socket);
  } finally {
    socket.close();
  }
}

function reservedEvents(namespace: string): Promise<void> {
  return withSocket(namespace, async (socket) => {
    while (!isOver && socket.isOpen) {
      socket.say(`2${namespace},["error",{"toString":null}]`);
      sent += 1;
      await pause(EVENTS_EVERY_MS);
    }
  });
}

function frames(frame: Uint8Array): Promise<void> {
  return withSocket("/device", async (socket) => {
    while (!isOver && socket.isOpen) {
      sayFrame(socket, frame);
      await pause(50);
    }
  });
}

function sayFrame(socket: RawSocket, frame: Uint8Array): void {
  socket.say('51-/device,1["frame",{"_placeholder":true,"num":0}]');
  socket.sayBytes(frame);
  sent += 1;
}

function hellos(): Promise<void> {
  const hello = encodeFrame({
    type: "hello",
    protocol: "chorus/1",
    wire: WIRE_VERSION,
    task: order.task,
    identity: new Uint8Array(32),
  });
  return frames(hello);
}

/** Logs in like anyone, then checks in and leaves as fast as the coordinator answers. */
function comeAndGo(address: string): Promise<void> {
  return withSocket(
    "/device",
    async (socket) => {
      const signer = localSigner(crypto.getRandomValues(new Uint8Array(32)), crypto.subtle);
      const identity = signer.publicKey;
      const challenge = await ask(socket, {
        type: "hello",
        protocol: "chorus/1",
        wire: WIRE_VERSION,
        task: order.task,
        identity,
      });
      if (challenge?.type !== "challenge") return;
      const item = E(DOMAINS.login, challenge.challenge, "default", order.task, identity);
      const welcome = await ask(socket, { type: "authenticate", signature: await signer.sign(item) });
      // More logins than one address may make: wait for the next minute.
      if (welcome?.type !== "welcome") {
        await pause(1_000);
        return;
      }
      while (!isOver && socket.isOpen) {
        await ask(socket, { type: "check-in", taskVersion: 1 });
        await pause(50);
        await ask(socket, { type: "leave" });
        await pause(50);
      }
    },
    address,
  );
}

/** Null if the connection ended first, or if the answer is malformed. */
async function ask(socket: RawSocket, message: object): Promise<Reply | null> {
  sayFrame(socket, encodeFrame(message));
  if ((await socket.hear((packet) => packet.startsWith("61-/device,1["))) === null) return null;
  const bytes = await socket.hear((packet) => packet.startsWith("binary:"));
  if (bytes === null) return null;
  const reply = decodeFrame(new Uint8Array(Buffer.from(bytes.slice("binary:".length), "hex")), replySchema);
  return reply.ok ? reply.value : null;
}

function frameOfKeys(): Uint8Array {
  const keys = Object.fromEntries(Array.from({ length: 150_000 }, (_, index) => [index.toString(36), 0]));
  return new Encoder().encode(keys);
}

async function createLargeTask(): Promise<void> {
  const slug = `a-${randomBytes(8).toString("hex")}`;
  await post("/api/v1/tasks", largeTask(slug));
  largeSlug = slug;
}

/** As many keys as the bounds of a task's body take. */
function jsonOfKeys(): string {
  const keys = Array.from({ length: LIMITS.jsonEntryCountMax / 2 - 1 }, (_, index) => [`k${index}`, 0]);
  return JSON.stringify(Object.fromEntries(keys));
}

/** Sends a text or nothing and reads no answer; reconnects when it is disconnected. */
async function stay(text?: string): Promise<void> {
  const { socket } = await comeIn(port, ADDRESSES[0], text);
  sent += 1;
  // A connection that is not read does not notice that it has ended.
  if (text !== undefined) socket.pause();
  const endsBy = performance.now() + STAY_MS;
  while (!isOver && !socket.destroyed && performance.now() < endsBy) await pause(500);
  socket.destroy();
}

/** The newest model of the earlier run; a server that does nothing takes any name. */
async function newestModel(): Promise<string> {
  if (order.url === null) return "0".repeat(64);
  const answer = await fetch(`${url}/api/v1/tasks/${order.task}`);
  const { latestModelHash } = (await answer.json()) as { readonly latestModelHash: string | null };
  return present(latestModelHash, "a run has ended");
}

function get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  return exchange("GET", path, undefined, headers);
}

function post(path: string, body: string): Promise<void> {
  return exchange("POST", path, body);
}

/** One request and its whole answer. */
function exchange(
  method: string,
  path: string,
  body?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined
        ? more
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const outgoing = request(new URL(path, url), { method, headers, agent }, (response) => {
      response.resume();
      response.on("end", resolve).on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
    sent += 1;
  });
}

/** Accepts HTTP and sockets of this protocol and does nothing with them. */
async function openSink(): Promise<string> {
  const server = createServer((incoming, response) => {
    incoming.resume();
    incoming.on("end", () => response.end("{}"));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket: WebSocket) => {
    socket.on("error", () => undefined);
    socket.on("message", (data: Buffer, isBinary) => {
      const namespace = isBinary ? null : /^40(\/\w+),/.exec(data.toString("utf8"))?.[1];
      if (namespace !== null && namespace !== undefined) socket.send(`40${namespace},{"sid":"0"}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
