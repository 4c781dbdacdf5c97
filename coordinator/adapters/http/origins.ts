import { hostname, networkInterfaces } from "node:os";
import { siteAddressFault } from "#shared/protocol/site-address.ts";

/** The host that a request is for, and whether its client speaks TLS. */
interface Asker {
  readonly host: string | undefined;
  readonly secure: boolean;
}

/** The names this coordinator answers to, and the pages that may use it. */
export interface Origins {
  /**
   * Judges the `Host` header, ignoring its port. An unknown name is somebody else's DNS entry pointing at us.
   */
  allowsHost(host: string | undefined): boolean;
  /**
   * True without an origin, which means no page sent it. Otherwise the page must be ours, over TLS if the request
   * is, or explicitly allowed.
   */
  allowsOrigin(origin: string | undefined, client: Asker): boolean;
  /** True without an origin, and for pages of this coordinator itself. Only these may use a session (X34). */
  isOwn(origin: string | undefined, client: Asker): boolean;
  /** True for an origin that was allowed by name. Its pages may also read what the API answers (W17). */
  isNamed(origin: string): boolean;
  /** Address under which others reach this coordinator, without a final slash; null if none is set. */
  readonly publicUrl: string | null;
}

/**
 * @param publicUrl  Such as "https://chorus.example.org".
 * @param allowed    More origins: sites that embed the client.
 */
export function knownOrigins(publicUrl: string | null, allowed: readonly string[] = []): Origins {
  const urls = publicUrl === null ? allowed : [publicUrl, ...allowed];
  const allowedOrigins = new Set(urls.map((url) => new URL(url).origin));
  const names = new Set([
    "localhost",
    "127.0.0.1",
    "[::1]",
    hostname().toLowerCase(),
    `${hostname().toLowerCase()}.local`,
  ]);
  for (const origin of allowedOrigins) names.add(new URL(origin).hostname);
  const ownOrigin = publicUrl === null ? null : new URL(publicUrl).origin;
  const isOwn: Origins["isOwn"] = (origin, { host, secure }) => {
    if (origin === undefined || origin === ownOrigin) return true;
    const page = URL.parse(origin);
    // Without TLS here, a proxy that is not trusted may still add it.
    return page !== null && page.host === host?.toLowerCase() && (!secure || page.protocol === "https:");
  };
  return {
    publicUrl: ownOrigin,
    allowsHost: (host) => {
      const name = hostNameOf(host);
      return name !== null && (names.has(name) || ownAddresses().has(name));
    },
    isNamed: (origin) => allowedOrigins.has(origin),
    isOwn,
    allowsOrigin: (origin, client) =>
      isOwn(origin, client) || (origin !== undefined && allowedOrigins.has(origin)),
  };
}

/**
 * Checks the addresses that a coordinator is given for itself and for other sites (W15).
 *
 * @returns a sentence about the first one that is wrong; null if none is.
 */
export function addressFault({
  publicUrl,
  allowedOrigins = [],
}: {
  readonly publicUrl?: string | undefined;
  readonly allowedOrigins?: readonly string[];
}): string | null {
  const fault =
    publicUrl === undefined
      ? null
      : siteAddressFault("The public URL (--public-url or CHORUS_PUBLIC_URL)", URL.parse(publicUrl));
  if (fault !== null) return fault;
  const faults = allowedOrigins.map((url) => siteAddressFault("A site in CHORUS_ORIGINS", URL.parse(url)));
  return faults.find((found) => found !== null) ?? null;
}

/** Read each time, because a machine's networks change. */
function ownAddresses(): Set<string> {
  const addresses = new Set<string>();
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address, family } of entries ?? [])
      addresses.add(family === "IPv6" ? `[${address}]` : address);
  }
  return addresses;
}

/** The first IPv4 address that other devices on the network could use; null without a network. */
export function lanAddress(): string | null {
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address, family, internal } of entries ?? []) {
      if (!internal && family === "IPv4") return address;
    }
  }
  return null;
}

/** A host name or address with an optional port, and nothing else: addresses are built from this header. */
const HOST = /^(?<name>[a-z0-9](?:[a-z0-9._-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** The name or address in a `Host` header, in lower case; null if it is malformed. */
export function hostNameOf(host: string | undefined): string | null {
  const name = HOST.exec(host ?? "")?.groups?.["name"]?.toLowerCase();
  if (name === undefined) return null;
  // Taken literally: "0x7f000001" is nobody's name, whatever a resolver makes of it.
  if (!name.startsWith("[")) return name;
  try {
    return new URL(`http://${name}`).hostname;
  } catch {
    return null;
  }
}
