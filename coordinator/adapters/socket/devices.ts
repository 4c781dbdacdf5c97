import type { Namespace, Socket } from "socket.io";
import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { decodeFrame, encodeFrame, FRAME_BOUNDS, type FrameError } from "#shared/protocol/frame.ts";
import {
  type DeviceMessage,
  deviceFrameBounds,
  deviceMessageSchema,
  LOGIN_FRAME_BOUNDS,
} from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import { helloOfAnyVersionSchema, versionRefusal } from "#shared/protocol/wire-version.ts";
import { type Login, refused } from "../../core/access/device-login.ts";
import { ANYONE, type Principal } from "../../core/access/principal.ts";
import type { Devices } from "../../core/ports.ts";
import { addressKey } from "../../core/rate-limit.ts";
import type { SocketDialect, SocketPorts, SocketSign } from "./endpoint.ts";
import { guard } from "./guard.ts";

/*
 * Namespace /device.
 *
 * | event   | direction   | argument                                     | acknowledgement |
 * | ------- | ----------- | -------------------------------------------- | --------------- |
 * | "frame" | to us       | one frame of messages/device.ts              | one Reply frame |
 * | "frame" | to a device | one frame of messages/coordinator.ts         | none            |
 * | "end"   | to a device | one Reply frame (refused); then a disconnect | none            |
 */

interface Traffic {
  upByteCount: number;
  downByteCount: number;
}

/** Identities whose bytes are remembered after they left, so that a returning device goes on counting. */
const TRAFFIC_COUNT_MAX = 10_000;

export class DeviceConnections implements Devices {
  readonly #socketsByIdentity = new Map<string, Socket>();
  readonly #trafficByIdentity = new Map<string, Traffic>();

  send(identity: string, message: object): void {
    this.#emit(identity, "frame", encodeFrame(message));
  }

  drop(identity: string, code: ErrorCode): void {
    this.#emit(identity, "end", encodeFrame(refused(code)));
    this.#socketsByIdentity.get(identity)?.disconnect(true);
  }

  traffic(identity: string): Traffic {
    return { ...(this.#trafficByIdentity.get(identity) ?? { upByteCount: 0, downByteCount: 0 }) };
  }

  /** From now on `identity` is this connection; the one before is told so and ends (W6). */
  adopt(identity: string, socket: Socket): void {
    const before = this.#socketsByIdentity.get(identity);
    if (before === socket) return;
    // First the map: the end of the old connection must not look like the device's.
    this.#socketsByIdentity.set(identity, socket);
    if (before === undefined) return;
    before.emit("end", encodeFrame(refused("ALREADY_CONNECTED")));
    before.disconnect(true);
  }

  /** True where this was the device's connection, so that it is gone now. */
  release(identity: string, socket: Socket): boolean {
    if (this.#socketsByIdentity.get(identity) !== socket) return false;
    return this.#socketsByIdentity.delete(identity);
  }

  count(identity: string, direction: keyof Traffic, byteCount: number): void {
    const traffic = this.#trafficByIdentity.get(identity) ?? { upByteCount: 0, downByteCount: 0 };
    traffic[direction] += byteCount;
    this.#trafficByIdentity.delete(identity);
    this.#trafficByIdentity.set(identity, traffic);
    if (this.#trafficByIdentity.size <= TRAFFIC_COUNT_MAX) return;
    for (const oldest of this.#trafficByIdentity.keys()) {
      this.#trafficByIdentity.delete(oldest);
      return;
    }
  }

  #emit(identity: string, event: "frame" | "end", bytes: Bytes): void {
    const socket = this.#socketsByIdentity.get(identity);
    if (socket === undefined) return;
    this.count(identity, "downByteCount", bytes.length);
    socket.emit(event, bytes);
  }
}

const DIALECT: SocketDialect = {
  name: "frame",
  refuse: (code, detail) => encodeFrame(refused(code, detail)),
};

const FRAME = {
  namespace: "/device",
  event: "frame",
  dialect: DIALECT,
  permissions: {
    hello: "devices.log-in",
    authenticate: "devices.log-in",
    "check-in": "rounds.take-part",
    advertise: "rounds.take-part",
    share: "rounds.take-part",
    confirm: "rounds.take-part",
    unmask: "rounds.take-part",
    complaint: "rounds.take-part",
    leave: "rounds.take-part",
  },
} as const satisfies SocketSign<DeviceMessage["type"]>;

export const devices = { ...FRAME, serve: serveDevices };

function serveDevices(namespace: Namespace, ports: SocketPorts): void {
  const { access, connections } = ports;
  namespace.on("connection", (socket) => {
    const login = access.openLogin(socket.handshake.address);
    const answered = (reply: Reply) => {
      const bytes = encodeFrame(reply);
      if (login.session !== null) connections.count(login.session.identity, "downByteCount", bytes.length);
      return bytes;
    };
    guard(socket, ports, {
      sign: FRAME,
      kindOf: (message: DeviceMessage) => message.type,
      principal: () => principalOf(login),
      read: (payload) => {
        const { session } = login;
        const otherVersion = session === null ? refusalOfVersion(payload) : null;
        if (otherVersion !== null) return err(encodeFrame(otherVersion));
        if (session !== null) connections.count(session.identity, "upByteCount", payloadByteCount(payload));
        const frame =
          session === null
            ? decodeFrame(payload, deviceMessageSchema, LOGIN_FRAME_BOUNDS)
            : decodeFrame(payload, deviceMessageSchema, FRAME_BOUNDS, deviceFrameBounds);
        return frame.ok ? ok(frame.value) : err(answered(frameRefusal(frame.error)));
      },
      handle: async (message, principal) => {
        const { reply, settled } = await answerMessage(message, principal, { socket, login }, ports);
        const bytes = answered(reply);
        // After the acknowledgement is on its way: what follows a welcome must not overtake it.
        if (settled !== undefined) setImmediate(settled);
        return bytes;
      },
    });
    socket.on("disconnect", () => {
      const identity = login.session?.identity;
      if (identity === undefined || !connections.release(identity, socket)) return;
      // Not within `drop`, which the coordinator may be calling right now.
      setImmediate(() => ports.devices.deviceDown(identity));
    });
  });
}

interface Answer {
  readonly reply: Reply;
  readonly settled?: () => void;
}

function principalOf({ session }: Login): Principal {
  if (session === null) return ANYONE;
  return { kind: "device", identity: session.identity, task: session.task };
}

async function answerMessage(
  message: DeviceMessage,
  principal: Principal,
  { socket, login }: { readonly socket: Socket; readonly login: Login },
  ports: SocketPorts,
): Promise<Answer> {
  if (message.type === "hello") return { reply: login.hello(message) };
  if (message.type === "authenticate") {
    const reply = await login.authenticate(message);
    const { session } = login;
    // The connection may have ended while its signature was checked.
    if (reply.type !== "welcome" || session === null || !socket.connected) return { reply };
    ports.loggedIn(socket, { isInvited: session.invited });
    ports.connections.adopt(session.identity, socket);
    const { identity, task, invited } = session;
    // Whom an operator invited does not answer for its neighbours.
    const address = invited ? null : addressKey(socket.handshake.address);
    return { reply, settled: () => ports.devices.deviceUp(identity, task, address) };
  }
  assert(principal.kind === "device", "only devices hold the permission of the other messages");
  return { reply: await ports.devices.onDeviceMessage(principal.identity, message) };
}

/** Before anything else of a hello is looked at. Null for every other message, and for what is no message. Rule W14. */
function refusalOfVersion(payload: unknown): Reply | null {
  const hello = decodeFrame(payload, helloOfAnyVersionSchema, LOGIN_FRAME_BOUNDS);
  const error = hello.ok ? versionRefusal(hello.value.wire) : null;
  return error === null ? null : { type: "refused", error };
}

function frameRefusal(error: FrameError): Reply {
  switch (error.type) {
    case "bad-frame":
      return refused("BAD_FRAME");
    case "too-large":
      return refused("TOO_LARGE");
    case "bad-message": {
      const at = error.at === "" ? "" : ` at ${error.at.slice(0, 80)}`;
      return refused(
        "BAD_MESSAGE",
        `This message is not as described${at}: ${error.problem.slice(0, 200)}. Reload to get the current client.`,
      );
    }
  }
}

function payloadByteCount(payload: unknown): number {
  return payload instanceof Uint8Array || payload instanceof ArrayBuffer ? payload.byteLength : 0;
}
