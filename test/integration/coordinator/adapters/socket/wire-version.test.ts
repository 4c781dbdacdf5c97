import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { io, type Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { openSocketLink } from "#client/adapters/socket-link.ts";
import { openEdge } from "#client/node.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { errorCodeSchema, type WireError, wireError } from "#shared/protocol/errors.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { type Reply, replySchema } from "#shared/protocol/messages/reply.ts";
import { versionRefusal, WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import { ProductDevice } from "#test/kit/devices/product-device.ts";
import { Federation } from "#test/kit/worlds/federation.ts";
import { openShell, type Shell, STATUS } from "#test/kit/worlds/shell.ts";

/* A device and a coordinator of different versions, with each as the older one. */

/**
 * Frames as version 1 sent them, before the wire named its version (recorded at commit f25c295): a hello for the task
 * "digits" by the identity 0707..., and a coordinator's answer to a hello with the field `wire`.
 */
const HELLO_OF_1 = hexToBytes(
  "84a474797065a568656c6c6fa870726f746f636f6ca863686f7275732f31a47461736ba6646967697473a86964656e74697479c4200707070707070707070707070707070707070707070707070707070707070707",
);
const REFUSAL_OF_1 = hexToBytes(
  "82a474797065a772656675736564a56572726f7283a4636f6465ab4241445f4d455353414745a76d657373616765d95d54686973206d657373616765206973206e6f74206173206465736372696265643a20556e7265636f676e697a6564206b65793a202277697265222e2052656c6f616420746f20676574207468652063757272656e7420636c69656e742ea57265747279a56e65766572",
);

const OLDER_DEVICE =
  /^This device is older than its coordinator: .* Reload the page; if this is an edge, update its program\.$/;
const OLDER_COORDINATOR =
  /^The coordinator is older than this device: .* Whoever runs the coordinator must update it\.$/;

describe("[W14] a coordinator answers", () => {
  let shell: Shell;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    shell = await openShell();
  });
  afterAll(() => shell.close());
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect();
  });

  async function answerTo(payload: Uint8Array): Promise<unknown> {
    const socket = io(`${shell.url}/device`, {
      transports: ["websocket"],
      forceNew: true,
      reconnection: false,
    });
    sockets.push(socket);
    return socket.timeout(60_000).emitWithAck("frame", payload);
  }

  async function refusal(payload: Uint8Array): Promise<WireError> {
    const reply = decodeFrame(await answerTo(payload), replySchema);
    if (!reply.ok || reply.value.type !== "refused") throw new Error("no refusal");
    return reply.value.error;
  }

  const hello = (change: object) => {
    const identity = new Uint8Array(32).fill(7);
    return encodeFrame({
      type: "hello",
      protocol: "chorus/1",
      wire: WIRE_VERSION,
      task: "digits",
      identity,
      ...change,
    });
  };

  test("an older device that names no version, in words that it can read", async () => {
    const answer = await answerTo(HELLO_OF_1);
    // Version 1 knew every code of today except this one.
    const codesOf1 = errorCodeSchema.exclude(["WIRE_VERSION"]);
    const schemaOf1 = z.strictObject({
      type: z.literal("refused"),
      error: z.strictObject({ code: codesOf1, message: z.string().max(2_000), retry: z.literal("never") }),
    });
    const read = decodeFrame(answer, schemaOf1);
    expect(read.ok && read.value.error.message).toMatch(OLDER_DEVICE);
  });

  test("an older device that names its version", () => {
    // There is none yet: version 2 is the first that names itself.
    expect(versionRefusal(1)?.message).toMatch(OLDER_DEVICE);
    expect(versionRefusal(WIRE_VERSION)).toBeNull();
  });

  test("a newer device, whatever else its hello contains", async () => {
    for (const change of [
      {},
      { protocol: "chorus/9" },
      { more: [1, 2] },
      { identity: "another kind of key" },
    ]) {
      const { code, message, retry } = await refusal(hello({ wire: WIRE_VERSION + 1, ...change }));
      expect({ code, retry }).toEqual({ code: "WIRE_VERSION", retry: "never" });
      expect(message).toMatch(OLDER_COORDINATOR);
      expect(message).toContain(
        `version ${WIRE_VERSION} of the wire, the device version ${WIRE_VERSION + 1}`,
      );
    }
  });

  test("a device of its own version with a challenge", async () => {
    const reply = decodeFrame(await answerTo(hello({})), replySchema);
    expect(reply.ok && reply.value.type).toBe("challenge");
  });

  test("malformed versions as malformed messages", async () => {
    for (const wire of [0, -1, 1.5, "2", null, [2]]) {
      const { code, message } = await refusal(hello({ wire }));
      expect([wire, code]).toEqual([wire, "BAD_MESSAGE"]);
      expect(message).not.toMatch(/older/);
    }
  });
});

describe("[W14] a device reads the coordinator's status before it connects", () => {
  let server: Server;
  let url: string;
  let status: object;
  const upgrades: string[] = [];
  beforeAll(async () => {
    server = createServer((_, response) => response.end(JSON.stringify(status)));
    server.on("upgrade", (request, socket) => {
      upgrades.push(request.url ?? "");
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  async function refusalOf(of: object): Promise<WireError | null> {
    status = of;
    const link = openSocketLink(url);
    const read = await link.fetchStatus();
    link.close();
    return read.ok || read.error.type === "offline" ? null : read.error.error;
  }

  test("of a newer coordinator, whatever else it holds", async () => {
    for (const more of [{}, { ...STATUS }, { ...STATUS, database: "of a later kind" }, { product: null }]) {
      const refusal = await refusalOf({ ...more, wire: WIRE_VERSION + 1 });
      expect(refusal).toMatchObject({ code: "WIRE_VERSION", retry: "never" });
      expect(refusal?.message).toMatch(OLDER_DEVICE);
    }
  });

  test("of an older coordinator", async () => {
    expect((await refusalOf({ ...STATUS, wire: 1 }))?.message).toMatch(OLDER_COORDINATOR);
  });

  test("of its own version, or of one that states none and is asked by the hello", async () => {
    expect(await refusalOf({ ...STATUS, wire: WIRE_VERSION })).toBeNull();
    expect(await refusalOf(STATUS)).toBeNull();
    expect((await refusalOf({ ...STATUS, wire: "2" }))?.code).toBe("BAD_MESSAGE");
  });

  test("and an edge ends with the sentence, without a socket", async () => {
    status = { ...STATUS, wire: WIRE_VERSION + 1 };
    const edge = await openEdge({
      coordinatorUrl: url,
      task: "digits",
      dataPath: "/nowhere",
      stateFolder: "/nowhere",
      roundsMax: 1,
    });
    expect(edge).toMatchObject({
      ok: false,
      error: { type: "coordinator", sentence: expect.stringMatching(OLDER_DEVICE) },
    });
    expect(upgrades).toEqual([]);
  });
});

describe("[W14] a device stops with a sentence", () => {
  async function refusedBy(error: WireError): Promise<ProductDevice> {
    const federation = await Federation.create({ devices: 4 });
    const device = await ProductDevice.create(federation);
    device.helloRefusal = error;
    device.enrolment.start();
    await federation.until(() => device.view.activity === "idle", "the end");
    return device;
  }

  test("if the coordinator is an older one, which knows no versions", async () => {
    const recorded = decodeFrame(REFUSAL_OF_1, replySchema) as { readonly ok: true; readonly value: Reply };
    if (recorded.value.type !== "refused") throw new Error("a refusal was recorded");
    const device = await refusedBy(recorded.value.error);
    expect(device.view.refusal).toMatchObject({ code: "WIRE_VERSION", retry: "never", by: "coordinator" });
    expect(device.view.refusal?.sentence).toMatch(OLDER_COORDINATOR);
  });

  test("if either is older than the other, in the coordinator's words", async () => {
    const error = wireError("WIRE_VERSION", "This device is older.");
    const device = await refusedBy(error);
    expect(device.view.refusal).toMatchObject({ code: "WIRE_VERSION", sentence: "This device is older." });
    expect(device.sent.map(({ type }) => type)).toEqual(["hello"]);
  });
});
