import type { IncomingMessage } from "node:http";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { type RateLimit, rateLimit } from "../../core/access/rate-limit.ts";
import type { Clients } from "../http/clients.ts";

/** Rate of WebSocket pings that are answered. Browsers and our devices send none. */
const PINGS_PER_SECOND = 2;

/** The part of engine.io's connection that we use. */
export interface Connection {
  readonly id: string;
  readonly request: IncomingMessage;
  on(event: "packet" | "flush" | "close", listener: () => void): unknown;
  on(event: "packetCreate", listener: (packet: { readonly data?: unknown }) => void): unknown;
  close(discard: boolean): unknown;
}

/** Tracks the time spent on a connection's messages. */
export interface ReadingBudget {
  /** False if this sender's messages have taken too much of the coordinator's time. */
  isLeft(id: string): boolean;
  spent(id: string, ms: number): void;
}

/**
 * Bounds what the transport takes from one connection and from one address: connections, packets, bytes, and
 * the time spent reading them (W2, W3). They apply before anything is decoded. A sender that exceeds one
 * loses its connection.
 *
 * A device with a join token counts only for itself, since many may share an address.
 */
export class TransportLimits implements ReadingBudget {
  readonly #clients: Clients;
  readonly #clock: MonotonicClock;
  readonly #connectionsById = new Map<string, Counted>();
  readonly #countByAddress = new Map<string, number>();
  readonly #opens: RateLimit;
  readonly #packetsByAddress: RateLimit;
  readonly #bytesByAddress: RateLimit;
  readonly #readingByAddress: RateLimit;

  constructor(clients: Clients, clock: MonotonicClock) {
    this.#clients = clients;
    this.#clock = clock;
    this.#opens = rateLimit(clock, {
      burst: LIMITS.socketOpensBurstPerAddress,
      perSecond: LIMITS.socketOpensPerSecondPerAddress,
    });
    this.#packetsByAddress = rateLimit(clock, {
      burst: LIMITS.socketPacketsBurstPerAddress,
      perSecond: LIMITS.socketPacketsPerSecondPerAddress,
    });
    this.#bytesByAddress = rateLimit(clock, {
      burst: LIMITS.socketBytesBurstPerAddress,
      perSecond: LIMITS.socketBytesPerSecondPerAddress,
    });
    this.#readingByAddress = rateLimit(clock, {
      burst: LIMITS.socketReadingMsBurstPerAddress,
      perSecond: LIMITS.socketReadingMsPerSecondPerAddress,
    });
  }

  /** Whether this request may become a connection. */
  admits(request: IncomingMessage): boolean {
    const { address } = this.#clients.of(request);
    if ((this.#countByAddress.get(address) ?? 0) >= LIMITS.socketsPerAddress) return false;
    return this.#opens.take(address);
  }

  add(connection: Connection): void {
    const { address } = this.#clients.of(connection.request);
    const { socket } = connection.request;
    const counted: Counted = {
      address,
      reading: this.#one(LIMITS.socketReadingMsBurst, LIMITS.socketReadingMsPerSecond),
      bytes: this.#one(LIMITS.socketBytesBurstBeforeLogin, LIMITS.socketBytesPerSecondBeforeLogin),
      isInvited: false,
    };
    this.#connectionsById.set(connection.id, counted);
    this.#countByAddress.set(address, (this.#countByAddress.get(address) ?? 0) + 1);
    const packets = this.#one(LIMITS.socketPacketsBurst, LIMITS.socketPacketsPerSecond);
    connection.on("packet", () => {
      const left = packets.take("");
      if (!left || (!counted.isInvited && !this.#packetsByAddress.take(address))) connection.close(true);
    });
    // Raw bytes of the TCP connection (inside TLS), so that a message that never ends counts, too.
    socket.on("data", ({ length }: Uint8Array) => {
      const left = counted.bytes.take("", length);
      if (!left || (!counted.isInvited && !this.#bytesByAddress.take(address, length))) socket.destroy();
    });
    // Bytes that engine.io holds until the socket has room. The socket's own buffer is counted with them.
    let heldByteCount = 0;
    connection.on("packetCreate", ({ data }) => {
      heldByteCount += lengthOf(data);
      if (heldByteCount + socket.writableLength > LIMITS.socketUnreadByteCountMax) socket.destroy();
    });
    connection.on("flush", () => {
      heldByteCount = 0;
    });
    connection.on("close", () => {
      this.#uncount(counted);
      this.#connectionsById.delete(connection.id);
    });
  }

  /** Raises the connection's limits to those of a device. With a join token it counts only for itself. */
  loggedIn(id: string, { isInvited }: { readonly isInvited: boolean }): void {
    const counted = this.#connectionsById.get(id);
    if (counted === undefined) return;
    counted.bytes = this.#one(LIMITS.socketBytesBurst, LIMITS.socketBytesPerSecond);
    if (isInvited) this.#uncount(counted);
  }

  isLeft(id: string): boolean {
    const counted = this.#connectionsById.get(id);
    if (counted === undefined) return true;
    return (
      counted.reading.take("", 0) && (counted.isInvited || this.#readingByAddress.take(counted.address, 0))
    );
  }

  spent(id: string, ms: number): void {
    const counted = this.#connectionsById.get(id);
    if (counted === undefined) return;
    counted.reading.charge("", ms);
    if (!counted.isInvited) this.#readingByAddress.charge(counted.address, ms);
  }

  /** A bound on the pings of one connection. */
  pings(): RateLimit {
    return this.#one(5 * PINGS_PER_SECOND, PINGS_PER_SECOND);
  }

  #uncount(counted: Counted): void {
    if (counted.isInvited) return;
    counted.isInvited = true;
    const left = (this.#countByAddress.get(counted.address) ?? 1) - 1;
    if (left > 0) this.#countByAddress.set(counted.address, left);
    else this.#countByAddress.delete(counted.address);
  }

  #one(burst: number, perSecond: number): RateLimit {
    return rateLimit(this.#clock, { burst, perSecond, keyCountMax: 1 });
  }
}

interface Counted {
  readonly address: string;
  readonly reading: RateLimit;
  /** Replaced after login. */
  bytes: RateLimit;
  /** True once it no longer counts for its address. */
  isInvited: boolean;
}

/** Length of text or bytes that we send. */
function lengthOf(data: unknown): number {
  return typeof data === "string" || data instanceof Uint8Array ? data.length : 0;
}
