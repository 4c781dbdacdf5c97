import type { IncomingMessage } from "node:http";
import { isIPv4, isIPv6, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { assert } from "#shared/kernel/assert.ts";
import { addressKey } from "../../core/access/address.ts";
import { hostNameOf } from "./origins.ts";
import { isAddress, type TrustedProxies } from "./trusted-proxies.ts";

/*
 * Who sent a request: the peer of its connection. Forwarded headers are ignored, unless that peer is a trusted proxy, which
 * may name its client:
 *
 * | header            | means                                                                                 |
 * | ----------------- | ------------------------------------------------------------------------------------- |
 * | X-Forwarded-For   | the client is the right-most address that is no trusted proxy; without this header it |
 * |                   | is the proxy itself, e.g. in a health check                                           |
 * | X-Forwarded-Proto | http, https, ws or wss, the last one named; without it the connection's own scheme    |
 * | X-Forwarded-Host  | the host that the client asked for, the last one named; without it Host               |
 *
 * Entries further left came from the client and are not read. `Forwarded` is ignored: proxies do not agree on it, and a
 * proxy that appends to one of the two headers lets its client fill the other.
 */

/** Who sent a request, for limits and for the checks of host and origin. */
export interface Client {
  /** Key of the address; empty if the connection is gone. */
  readonly address: string;
  /** Whether the client speaks TLS, to this coordinator or to the proxy. */
  readonly secure: boolean;
  /** Whether its browser is to insist on TLS from now on. */
  readonly strict: boolean;
  readonly host: string | undefined;
  /** Whether its connection is a trusted proxy's, which other clients may share. */
  readonly isProxied: boolean;
}

/** More trusted proxies in a row than anyone has. */
const HOPS_MAX = 16;

/** Who sent a request, and what is wrong with its forwarded headers. */
interface Judged {
  readonly client: Client;
  /** A sentence for whoever runs the proxy; `client` is the proxy then. Null if nothing is wrong. */
  readonly fault: string | null;
}

export class Clients {
  readonly #proxies: TrustedProxies;
  readonly #strict: boolean;
  /** Headers are read once: pages lose theirs on the way to Next. */
  readonly #judged = new WeakMap<IncomingMessage, Judged>();

  /** @param strict  Whether browsers that speak TLS to this coordinator itself are to insist on it from now on. */
  constructor(proxies: TrustedProxies, { strict }: { readonly strict: boolean }) {
    this.#proxies = proxies;
    this.#strict = strict;
  }

  /** Judges a request's headers, which nothing else may rely on before. */
  judge(request: IncomingMessage): Judged {
    const judged =
      this.#judged.get(request) ??
      (this.#proxies.includes(request.socket.remoteAddress ?? "")
        ? this.#forwarded(request)
        : { client: this.#connected(request), fault: null });
    this.#judged.set(request, judged);
    return judged;
  }

  /** The client of a request that was not refused. */
  of(request: IncomingMessage): Client {
    const { client, fault } = this.judge(request);
    assert(fault === null, "a request with bad forwarded headers is refused before it is handled");
    return client;
  }

  #connected({ socket, headers }: IncomingMessage): Client {
    const secure = (socket as Partial<TLSSocket>).encrypted === true;
    return {
      address: addressKey(socket.remoteAddress ?? ""),
      secure,
      strict: secure && this.#strict,
      host: headers.host,
      isProxied: false,
    };
  }

  #forwarded(request: IncomingMessage): Judged {
    const { headers } = request;
    const own = this.#connected(request);
    const address = this.#addressFrom(request.socket, lines(headers["x-forwarded-for"]));
    const proto = lastOf(headers["x-forwarded-proto"])?.toLowerCase();
    const host = lastOf(headers["x-forwarded-host"]);
    const fault = faultOf({ address, proto, host });
    if (fault !== null || address === null) return { client: own, fault };
    const secure = proto === undefined ? own.secure : proto.endsWith("s");
    const strict = proto === undefined ? own.strict : secure;
    return {
      client: { address: addressKey(address), secure, strict, host: host ?? own.host, isProxied: true },
      fault: null,
    };
  }

  /** The right-most address that is no trusted proxy, or the left-most one. Null if an entry on the way is none. */
  #addressFrom({ remoteAddress = "" }: Socket, header: string | undefined): string | null {
    let address = remoteAddress;
    if (header === undefined) return address;
    const entries = header.split(",");
    for (let hops = 1; hops <= entries.length; hops++) {
      if (hops > HOPS_MAX) return null;
      const entry = addressOf((entries[entries.length - hops] as string).trim());
      if (entry === null) return null;
      address = entry;
      if (!this.#proxies.includes(address)) break;
    }
    return address;
  }
}

interface Forwarded {
  readonly address: string | null;
  readonly proto: string | undefined;
  readonly host: string | undefined;
}

function faultOf({ address, proto, host }: Forwarded): string | null {
  if (address === null)
    return "The proxy's X-Forwarded-For names no address. Let it append its client's address, and check --trusted-proxy.";
  if (proto !== undefined && !/^(?:http|ws)s?$/.test(proto))
    return "The proxy's X-Forwarded-Proto is neither http nor https. Let it set one of them.";
  if (host !== undefined && hostNameOf(host) === null)
    return "The proxy's X-Forwarded-Host is not a host. Let it pass on the name that its client used.";
  return null;
}

/** Some proxies add the port, and write IPv6 in brackets then. */
function addressOf(entry: string): string | null {
  if (isAddress(entry)) return entry;
  const v6 = /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/i.exec(entry)?.[1];
  if (v6 !== undefined) return isIPv6(v6) ? v6 : null;
  const v4 = /^([\d.]+):\d{1,5}$/.exec(entry)?.[1];
  return v4 !== undefined && isIPv4(v4) ? v4 : null;
}

/** Node joins the lines of a header that repeats. */
function lines(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.join(",");
}

/** What the nearest proxy said, after what others said before it. */
function lastOf(header: string | readonly string[] | undefined): string | undefined {
  return lines(header)?.split(",").at(-1)?.trim();
}
