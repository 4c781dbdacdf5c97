import { hostname, networkInterfaces } from "node:os";

/** Which addresses this coordinator is known by, and which pages may use it. */
export interface Origins {
  /** By the `Host` header, port aside. A name that we never gave ourselves is somebody's DNS pointed at us. */
  allowsHost(host: string | undefined): boolean;
  /** A request without an origin comes from no page; else its page is ours or one that was allowed by name. */
  allowsOrigin(origin: string | undefined, host: string | undefined): boolean;
}

/**
 * @param allowed  Further origins, such as "https://chorus.example.org": the public address, and sites that embed the
 *                 client.
 */
export function knownOrigins(allowed: readonly string[]): Origins {
  const allowedOrigins = new Set(allowed.map((url) => new URL(url).origin));
  const names = new Set([
    "localhost",
    "127.0.0.1",
    "[::1]",
    hostname().toLowerCase(),
    `${hostname().toLowerCase()}.local`,
  ]);
  for (const origin of allowedOrigins) names.add(new URL(origin).hostname);
  return {
    allowsHost: (host) => {
      const name = nameOf(host);
      return name !== null && (names.has(name) || ownAddresses().has(name));
    },
    allowsOrigin: (origin, host) => {
      if (origin === undefined) return true;
      if (allowedOrigins.has(origin)) return true;
      try {
        return new URL(origin).host === host?.toLowerCase();
      } catch {
        return false;
      }
    },
  };
}

/** Read each time: a machine changes its networks. */
function ownAddresses(): Set<string> {
  const addresses = new Set<string>();
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address, family } of entries ?? [])
      addresses.add(family === "IPv6" ? `[${address}]` : address);
  }
  return addresses;
}

/** The first IPv4 address that another device on the network could use; null on a machine without a network. */
export function lanAddress(): string | null {
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address, family, internal } of entries ?? []) {
      if (!internal && family === "IPv4") return address;
    }
  }
  return null;
}

/** A name or an address, and perhaps a port: whoever builds an address from this header gets just that. */
const HOST = /^(?<name>[a-z0-9](?:[a-z0-9._-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

function nameOf(host: string | undefined): string | null {
  const name = HOST.exec(host ?? "")?.groups?.["name"]?.toLowerCase();
  if (name === undefined) return null;
  // As it stands: "0x7f000001" is nobody's name, whatever a resolver makes of it.
  if (!name.startsWith("[")) return name;
  try {
    return new URL(`http://${name}`).hostname;
  } catch {
    return null;
  }
}
