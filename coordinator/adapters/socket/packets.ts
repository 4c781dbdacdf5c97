import { EventEmitter } from "node:events";
import { Encoder } from "socket.io-parser";
import { assert } from "#shared/kernel/assert.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

/*
 * The subset of the socket.io protocol that peers may use. Text packets are bounded before they are parsed.
 *
 * | packet       | text                                                  | then               |
 * | ------------ | ----------------------------------------------------- | ------------------ |
 * | connect      | `0/device,` and an optional JSON object, ignored      |                    |
 * | disconnect   | `1/device,`                                           |                    |
 * | event        | `2/dash,7["watch",{...}]`; 7 asks for acknowledgement |                    |
 * | binary event | `51-/device,7["frame",{"_placeholder":true,"num":0}]` | one binary message |
 *
 * Other packets (acknowledgements, errors, second attachments) would answer something that this server never
 * sends.
 *
 * Source: the socket.io protocol, revision 5. socket.io's own decoder parses text of any length and walks all
 *   of it to place attachments. It also ends the connection on its reserved event names, which then get no
 *   answer.
 */

const CONNECT = 0;
const DISCONNECT = 1;
const EVENT = 2;

/** Shape that socket.io's client class expects from a decoder. */
interface Packet {
  readonly type: typeof CONNECT | typeof DISCONNECT | typeof EVENT;
  readonly nsp: string;
  /** Number of the acknowledgement. */
  readonly id?: number;
  /** Event name and arguments, unchecked. */
  readonly data?: unknown[];
}

/** Type, optional attachment count, namespace, optional acknowledgement number, optional JSON. */
const PACKET =
  /^(?<type>0|1|2|51-)(?:(?<namespace>\/[A-Za-z0-9_-]{0,64})(?:,|$))?(?<id>\d{1,15})?(?<json>[[{].*)?$/su;

/**
 * Decodes the packets of one connection and emits `decoded` for each.
 *
 * `add` throws on malformed packets. socket.io then ends the connection.
 */
class PacketDecoder extends EventEmitter {
  /** A binary event that waits for its attachment. */
  #waiting: Packet | null = null;

  add(message: unknown): void {
    if (typeof message === "string") this.#addText(message);
    else if (message instanceof Uint8Array) this.#addBytes(message);
    else throw new Error("A packet is text or bytes.");
  }

  destroy(): void {
    this.#waiting = null;
  }

  #addText(text: string): void {
    if (this.#waiting !== null) throw new Error("Text came instead of the announced attachment.");
    if (text.length > LIMITS.socketTextLengthMax) throw new Error("A text packet is too long.");
    const { packet, attached } = packetOf(text);
    if (attached) this.#waiting = packet;
    else this.emit("decoded", packet);
  }

  #addBytes(bytes: Uint8Array): void {
    const event = this.#waiting;
    if (event === null) throw new Error("An attachment came unannounced.");
    this.#waiting = null;
    const data = (event.data ?? []).map((argument) => (isPlaceholder(argument) ? bytes : argument));
    this.emit("decoded", { ...event, data });
  }
}

/**
 * @param text  One text packet.
 * @returns The packet; `attached` if a binary message follows that belongs to it. @throws Error if malformed.
 */
function packetOf(text: string): { readonly packet: Packet; readonly attached: boolean } {
  const { type, namespace = "/", id, json } = PACKET.exec(text)?.groups ?? {};
  switch (type) {
    case "0":
      // The payload of a connect packet is ignored.
      return { packet: { type: CONNECT, nsp: namespace }, attached: false };
    case "1":
      return { packet: { type: DISCONNECT, nsp: namespace }, attached: false };
    case "2":
    case "51-": {
      const numbered = id === undefined ? {} : { id: Number(id) };
      const packet: Packet = { type: EVENT, nsp: namespace, ...numbered, data: eventOf(json) };
      return { packet, attached: type === "51-" };
    }
    default:
      throw new Error("A text packet has no known form.");
  }
}

/** The event's name, of any type, and its arguments. */
function eventOf(json = ""): unknown[] {
  try {
    const event: unknown = JSON.parse(json);
    if (Array.isArray(event) && event.length > 0) return event;
  } catch {
    // Dropped, because its message quotes the peer's text.
  }
  throw new Error("An event is a list that begins with its name.");
}

/** Only checks top-level arguments: no event nests bytes. */
function isPlaceholder(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && "_placeholder" in value && value._placeholder === true
  );
}

/** For socket.io's option `parser`. */
export const packetParser = { Encoder, Decoder: PacketDecoder };

assert(LIMITS.socketTextLengthMax < 10_000, "JSON of that length parses instantly, however nested");
