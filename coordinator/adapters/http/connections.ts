import type { Socket } from "node:net";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { addressKey, isLoopback } from "../../core/access/address.ts";
import { type RateLimit, rateLimit } from "../../core/access/rate-limit.ts";
import { Shares } from "../../core/access/shares.ts";
import { NO_PROXIES, type TrustedProxies } from "./trusted-proxies.ts";

/** Identifies an open connection, TLS or not. */
type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localAddress">;

/**
 * Bounds HTTP connections from accept to close, idle ones included: in total, per address, and in how fast an
 * address opens them (W12). A connection beyond a bound is closed before anything is read from it.
 *
 * If all places are taken, an address with few connections displaces the newest one of the address that holds
 * most. Some places are reserved for this machine, so that its operator can reach a coordinator in trouble. A
 * connection that becomes a WebSocket leaves: WebSockets have their own bounds.
 *
 * A connection from a trusted proxy counts only in total, and while it carries a request, also for the client who
 * sent that (W16).
 */
export class HttpConnections {
  readonly #opens: RateLimit;
  readonly #openByName = new Map<string, Counted>();
  readonly #countByAddress = new Map<string, number>();
  readonly #shares = new Shares<Counted>();
  readonly #proxies: TrustedProxies;

  constructor(clock: MonotonicClock, proxies: TrustedProxies = NO_PROXIES) {
    this.#proxies = proxies;
    this.#opens = rateLimit(clock, {
      burst: LIMITS.httpOpensBurstPerAddress,
      perSecond: LIMITS.httpOpensPerSecondPerAddress,
    });
  }

  /** Counts the connection until it closes, or refuses it by closing it now. */
  accept(socket: Socket): void {
    // The address is undefined if the connection has already closed.
    const { remoteAddress = "" } = socket;
    const address = addressKey(remoteAddress);
    const isProxy = this.#proxies.includes(remoteAddress);
    if (address === "" || (!isProxy && (!this.#allowsMore(address) || !this.#opens.take(address))))
      return void socket.destroy();
    if (!this.#hasRoom(isProxy ? "" : address, !isProxy && isLoopback(remoteAddress)))
      return void socket.destroy();
    const counted: Counted = { name: nameOf(socket), address: null, socket };
    this.#openByName.set(counted.name, counted);
    if (!isProxy) this.#hold(counted, address);
    socket.once("close", () => this.#remove(counted));
  }

  /**
   * Counts a trusted proxy's connection for the client whose request it carries, until `delivered`. A pipelined
   * request counts with the one before it; proxies do not pipeline.
   *
   * @returns False if that client has too many requests under way.
   */
  carries(socket: Ends, address: string): boolean {
    const counted = this.#openByName.get(nameOf(socket));
    if (counted === undefined || counted.address !== null) return true;
    if (!this.#allowsMore(address)) return false;
    this.#hold(counted, address);
    return true;
  }

  /** The request that a trusted proxy's connection carried has been answered. */
  delivered(socket: Ends): void {
    const counted = this.#openByName.get(nameOf(socket));
    if (counted !== undefined) this.#letGo(counted);
  }

  #allowsMore(address: string): boolean {
    return (this.#countByAddress.get(address) ?? 0) < LIMITS.httpConnectionsPerAddress;
  }

  #hold(counted: Counted, address: string): void {
    counted.address = address;
    this.#countByAddress.set(address, (this.#countByAddress.get(address) ?? 0) + 1);
    this.#shares.add(address, counted);
  }

  #letGo(counted: Counted): void {
    const { address } = counted;
    if (address === null) return;
    counted.address = null;
    this.#shares.remove(address, counted);
    const left = (this.#countByAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#countByAddress.set(address, left);
    else this.#countByAddress.delete(address);
  }

  /** If all places are taken, displaces a connection of whoever holds more. */
  #hasRoom(address: string, isOperator: boolean): boolean {
    const max = LIMITS.httpConnectionsMax - (isOperator ? 0 : LIMITS.httpConnectionsForLoopback);
    if (this.#openByName.size < max) return true;
    const displaced = this.#shares.toDisplace(address, "newest");
    if (displaced === undefined) return false;
    this.#remove(displaced);
    displaced.socket.destroy();
    return true;
  }

  becameWebSocket(socket: Ends): void {
    const counted = this.#openByName.get(nameOf(socket));
    if (counted !== undefined) this.#remove(counted);
  }

  #remove(counted: Counted): void {
    // Already removed, and its port may belong to a new connection by now.
    if (this.#openByName.get(counted.name) !== counted) return;
    this.#openByName.delete(counted.name);
    this.#letGo(counted);
  }
}

interface Counted {
  readonly name: string;
  /** Null while it is a proxy's and carries nothing. */
  address: string | null;
  readonly socket: Socket;
}

/** A name, because a TLS connection is two objects with no public link between them. */
function nameOf({ remoteAddress, remotePort, localAddress }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
