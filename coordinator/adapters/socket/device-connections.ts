import type { Socket } from "socket.io";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import { refusedReply } from "#shared/protocol/messages/reply.ts";
import type { Devices } from "../../core/ports/ports.ts";

interface Traffic {
  upByteCount: number;
  downByteCount: number;
}

/** How many identities keep their byte counts after leaving, so that returning devices go on counting. */
const TRAFFIC_COUNT_MAX = 10_000;

export class DeviceConnections implements Devices {
  readonly #socketsByIdentity = new Map<string, Socket>();
  readonly #trafficByIdentity = new Map<string, Traffic>();

  send(identity: string, message: object): void {
    this.#emit(identity, "frame", encodeFrame(message));
  }

  drop(identity: string, code: ErrorCode): void {
    this.#emit(identity, "end", encodeFrame(refusedReply(code)));
    this.#socketsByIdentity.get(identity)?.disconnect(true);
  }

  traffic(identity: string): Traffic {
    return { ...(this.#trafficByIdentity.get(identity) ?? { upByteCount: 0, downByteCount: 0 }) };
  }

  /** Makes this connection the identity's. An earlier one is told so and closed (W6). */
  adopt(identity: string, socket: Socket): void {
    const before = this.#socketsByIdentity.get(identity);
    if (before === socket) return;
    // Set before the old connection ends, so that its end does not count as the device's.
    this.#socketsByIdentity.set(identity, socket);
    if (before === undefined) return;
    before.emit("end", encodeFrame(refusedReply("ALREADY_CONNECTED")));
    before.disconnect(true);
  }

  /** True if this was the device's connection, so that the device is now gone. */
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
