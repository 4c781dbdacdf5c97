import type { Namespace, Socket } from "socket.io";
import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { decodeFrame, encodeFrame, FRAME_BOUNDS, type FrameError } from "#shared/protocol/frame.ts";
import {
  type DeviceMessage,
  deviceFrameBounds,
  deviceMessageSchema,
  deviceMessageSchemas,
  LOGIN_FRAME_BOUNDS,
} from "#shared/protocol/messages/device.ts";
import { type Reply, refusedReply } from "#shared/protocol/messages/reply.ts";
import { helloOfAnyVersionSchema, versionRefusal } from "#shared/protocol/wire-version.ts";
import type { Login } from "../../core/access/device-login.ts";
import { ANYONE, type Principal } from "../../core/access/principal.ts";
import type { SocketPorts } from "./endpoint.ts";
import { guard } from "./guard.ts";
import type { SocketDialect, SocketSign } from "./sign.ts";

/*
 * Namespace /device.
 *
 * | event   | direction   | argument                                     | acknowledgement |
 * | ------- | ----------- | -------------------------------------------- | --------------- |
 * | "frame" | to us       | one frame of messages/device.ts              | one Reply frame |
 * | "frame" | to a device | one frame of messages/coordinator.ts         | none            |
 * | "end"   | to a device | one Reply frame (refused); then a disconnect | none            |
 */

const DIALECT: SocketDialect = {
  name: "frame",
  refuse: (code, detail) => encodeFrame(refusedReply(code, detail)),
};

const FRAME = {
  namespace: "/device",
  event: "frame",
  dialect: DIALECT,
  messages: deviceMessageSchemas,
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
    const login = access.openLogin(ports.addressOf(socket));
    const answered = (reply: Reply) => {
      const bytes = encodeFrame(reply);
      if (login.caller !== null) connections.count(login.caller.identity, "downByteCount", bytes.length);
      return bytes;
    };
    guard(socket, ports, {
      sign: FRAME,
      kindOf: (message: DeviceMessage) => message.type,
      principal: () => principalOf(login),
      read: (payload) => {
        const { caller } = login;
        const otherVersion = caller === null ? refusalOfVersion(payload) : null;
        if (otherVersion !== null) return err(encodeFrame(otherVersion));
        if (caller !== null) connections.count(caller.identity, "upByteCount", payloadByteCount(payload));
        const frame =
          caller === null
            ? decodeFrame(payload, deviceMessageSchema, LOGIN_FRAME_BOUNDS)
            : decodeFrame(payload, deviceMessageSchema, FRAME_BOUNDS, deviceFrameBounds);
        return frame.ok ? ok(frame.value) : err(answered(frameRefusal(frame.error)));
      },
      handle: async (message, principal) => {
        const { reply, settled } = await answerMessage(message, principal, { socket, login }, ports);
        const bytes = answered(reply);
        // Deferred until the acknowledgement is on its way, so that nothing overtakes the welcome.
        if (settled !== undefined) setImmediate(settled);
        return bytes;
      },
    });
    socket.on("disconnect", () => {
      const identity = login.caller?.identity;
      if (identity === undefined || !connections.release(identity, socket)) return;
      access.went(identity);
      // Deferred, because the coordinator may be inside `drop`.
      setImmediate(() => ports.devices.deviceDown(identity));
    });
  });
}

interface Answer {
  readonly reply: Reply;
  readonly settled?: () => void;
}

function principalOf({ caller }: Login): Principal {
  if (caller === null) return ANYONE;
  return { kind: "device", identity: caller.identity, task: caller.task };
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
    const { caller } = login;
    // The connection may have ended while its signature was checked.
    if (reply.type !== "welcome" || caller === null || !socket.connected) return { reply };
    // It may have been revoked meanwhile, before there was a connection to end (X64, X70).
    const revocation = ports.access.revocationOf(caller);
    if (revocation !== null)
      return { reply: refusedReply(revocation), settled: () => socket.disconnect(true) };
    const isInvited = caller.enrolledBy !== null;
    ports.loggedIn(socket, { isInvited });
    ports.connections.adopt(caller.identity, socket);
    const { identity, task } = caller;
    const { logSize } = message;
    ports.access.came(caller);
    // An invited device does not count toward its address.
    const address = isInvited ? null : ports.addressOf(socket);
    return { reply, settled: () => ports.devices.deviceUp(identity, task, address, logSize) };
  }
  assert(principal.kind === "device", "only devices hold the permission of the other messages");
  return { reply: await ports.devices.onDeviceMessage(principal.identity, message) };
}

/**
 * Checks a hello's version before the rest of it. Null for any other message or malformed frame. Rule W14.
 */
function refusalOfVersion(payload: unknown): Reply | null {
  const hello = decodeFrame(payload, helloOfAnyVersionSchema, LOGIN_FRAME_BOUNDS);
  const error = hello.ok ? versionRefusal(hello.value.wire) : null;
  return error === null ? null : { type: "refused", error };
}

function frameRefusal(error: FrameError): Reply {
  switch (error.type) {
    case "bad-frame":
      return refusedReply("BAD_FRAME");
    case "too-large":
      return refusedReply("TOO_LARGE");
    case "bad-message": {
      const at = error.at === "" ? "" : ` at ${error.at.slice(0, 80)}`;
      return refusedReply(
        "BAD_MESSAGE",
        `This message is not as described${at}: ${error.problem.slice(0, 200)}. Reload to get the current client.`,
      );
    }
  }
}

function payloadByteCount(payload: unknown): number {
  return payload instanceof Uint8Array || payload instanceof ArrayBuffer ? payload.byteLength : 0;
}
