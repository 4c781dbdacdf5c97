import { EventEmitter } from "node:events";
import { Encoder } from "socket.io-parser";
import { assert } from "#shared/kernel/assert.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

/*
 * What a peer may say in the socket.io protocol, and nothing else of it. A text packet is bounded before it is parsed.
 *
 * | packet       | text                                              | then                      |
 * | ------------ | ------------------------------------------------- | ------------------------- |
 * | connect      | `0/device,` and perhaps a JSON object, not read   |                           |
 * | disconnect   | `1/device,`                                       |                           |
 * | event        | `2/dash,7["watch",{...}]`; 7: to be acknowledged  |                           |
 * | binary event | `51-/device,7["frame",{"_placeholder":true,"num":0}]` | one binary message    |
 *
 * The rest (acknowledgements, errors, a second attachment) answers something that this server never sends.
 *
 * Source: the socket.io protocol, revision 5. socket.io's own decoder parses text of any length, walks all of it to
 * place attachments, and ends the connection on the event names that it keeps for itself, so that they get no answer.
 */

const CONNECT = 0;
const DISCONNECT = 1;
const EVENT = 2;

/** As socket.io's client class takes it from a decoder. */
interface Packet {
  readonly type: typeof CONNECT | typeof DISCONNECT | typeof EVENT;
  readonly nsp: string;
  /** The acknowledgement's number. */
  readonly id?: number;
  /** The event's name and its arguments, none of them checked. */
  readonly data?: unknown[];
}

/** Type, one attachment perhaps, namespace, acknowledgement's number perhaps, JSON perhaps. */
const PACKET =
  /^(?<type>0|1|2|51-)(?:(?<namespace>\/[A-Za-z0-9_-]{0,64})(?:,|$))?(?<id>\d{1,15})?(?<json>[[{].*)?$/su;

/**
 * Decodes the packets of one connection; emits `decoded` with each.
 *
 * `add` throws on everything that is no packet; socket.io ends the connection then.
 */
class PacketDecoder extends EventEmitter {
  /** A binary event whose attachment has not come yet. */
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
    if (this.#waiting !== null) throw new Error("An attachment was announced and text came.");
    if (text.length > LIMITS.socketTextLengthMax) throw new Error("A text packet is too long.");
    const { packet, attached } = packetOf(text);
    if (attached) this.#waiting = packet;
    else this.emit("decoded", packet);
  }

  #addBytes(bytes: Uint8Array): void {
    const event = this.#waiting;
    if (event === null) throw new Error("An attachment came that was not announced.");
    this.#waiting = null;
    const data = (event.data ?? []).map((argument) => (isPlaceholder(argument) ? bytes : argument));
    this.emit("decoded", { ...event, data });
  }
}

/** `attached`: one binary message follows, and belongs to it. @throws Error on everything else. */
function packetOf(text: string): { readonly packet: Packet; readonly attached: boolean } {
  const { type, namespace = "/", id, json } = PACKET.exec(text)?.groups ?? {};
  switch (type) {
    case "0":
      // Nobody here reads what comes with it.
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

/** The event's name, of whatever type, and its arguments. */
function eventOf(json = ""): unknown[] {
  try {
    const event: unknown = JSON.parse(json);
    if (Array.isArray(event) && event.length > 0) return event;
  } catch {
    // The text of that error quotes what was sent.
  }
  throw new Error("An event is a list that begins with its name.");
}

/** Only arguments themselves are looked at: no event has bytes inside of something. */
function isPlaceholder(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && "_placeholder" in value && value._placeholder === true
  );
}

/** For socket.io's option `parser`. */
export const packetParser = { Encoder, Decoder: PacketDecoder };

assert(LIMITS.socketTextLengthMax < 10_000, "JSON of that length is parsed in no time, however it nests");
