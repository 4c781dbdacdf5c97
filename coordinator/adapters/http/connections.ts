import type { Socket } from "node:net";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { addressKey, type RateLimit, rateLimit } from "../../core/rate-limit.ts";
import { Shares } from "../../core/shares.ts";

/** What names a connection while it is open, TLS or not. */
type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localAddress">;

/**
 * HTTP connections from accept to close, idle ones too: bounded in all, by address, and in how fast an address opens them
 * (W12). Beyond that a connection is closed before anything of it is read. If all are taken, one that holds few displaces the
 * newest of whoever holds most; some are kept for this machine, whose operator looks at a coordinator in trouble. One that becomes a WebSocket leaves: those have
 * bounds of their own, and devices with a join token count for themselves alone.
 */
export class HttpConnections {
  readonly #opens: RateLimit;
  readonly #openByName = new Map<string, Counted>();
  readonly #countByAddress = new Map<string, number>();
  readonly #shares = new Shares<Counted>();
  readonly #max: number;

  constructor(clock: MonotonicClock, max: number = LIMITS.httpConnectionsMax) {
    this.#max = max;
    this.#opens = rateLimit(clock, {
      burst: LIMITS.httpOpensBurstPerAddress,
      perSecond: LIMITS.httpOpensPerSecondPerAddress,
    });
  }

  /** Counts a connection until it ends, or ends it at once. */
  accept(socket: Socket): void {
    // Undefined: it is gone already.
    const address = addressKey(socket.remoteAddress ?? "");
    const here = this.#countByAddress.get(address) ?? 0;
    if (address === "" || here >= LIMITS.httpConnectionsPerAddress || !this.#opens.take(address))
      return void socket.destroy();
    if (!this.#hasRoom(address)) return void socket.destroy();
    const counted = { name: nameOf(socket), address, socket };
    this.#openByName.set(counted.name, counted);
    this.#countByAddress.set(address, here + 1);
    this.#shares.add(address, counted);
    socket.once("close", () => this.#remove(counted));
  }

  /** Makes room if all are taken and somebody holds more. */
  #hasRoom(address: string): boolean {
    const max = this.#max - (isLoopback(address) ? 0 : LIMITS.httpConnectionsForLoopback);
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
    const { name, address } = counted;
    // Gone already, and its port may have a new connection.
    if (this.#openByName.get(name) !== counted) return;
    this.#openByName.delete(name);
    this.#shares.remove(address, counted);
    const left = (this.#countByAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#countByAddress.set(address, left);
    else this.#countByAddress.delete(address);
  }
}

interface Counted {
  readonly name: string;
  readonly address: string;
  readonly socket: Socket;
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === addressKey("::1");
}

/** Of a TLS connection there are two objects, and no public way from one to the other. */
function nameOf({ remoteAddress, remotePort, localAddress }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
