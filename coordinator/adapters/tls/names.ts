import { hostname, networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

/*
 * The names that this coordinator's own certificate is for, and those that its certificate authority may ever sign.
 * A name is a lower-case host name, or an IP address without brackets.
 */

/** Host names of at most 253 characters in labels of letters, digits and inner hyphens. Source: RFC 1123 section 2.1. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

export function isAddress(name: string): boolean {
  return ipaddr.isValid(name);
}

/** Spells a name one way: lower case, IPv6 in its shortest form and without brackets. Null if it is no name. */
export function nameOf(text: string): string | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (ipaddr.isValid(bare)) return ipaddr.process(bare).toString();
  return HOST_NAME.test(bare) ? bare : null;
}

/**
 * Names by which devices on the local network may reach this machine. IPv6 addresses outside of private networks are
 * left out, since they change daily.
 */
export function ownNames(): readonly string[] {
  const names = ["localhost", "127.0.0.1", "::1", hostname(), `${hostname()}.local`];
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address, family, internal } of entries ?? []) {
      if (!internal && (family === "IPv4" || ipaddr.parse(address).range() === "uniqueLocal"))
        names.push(address);
    }
  }
  return names.map(nameOf).filter((name) => name !== null);
}

/** Names and networks that an authority may sign for: it can never stand for a site on the internet. */
export interface Permitted {
  /** Each stands for itself and for every name that ends in it. */
  readonly domains: readonly string[];
  /** In CIDR notation. */
  readonly networks: readonly string[];
}

const LOCAL: Permitted = {
  domains: ["localhost", "local"],
  networks: [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
  ],
};

/** The local networks, and each name outside of them by itself. */
export function permittedFor(names: readonly string[]): Permitted {
  const others = names.filter((name) => !isPermitted(LOCAL, name));
  const single = (address: string) => `${address}/${ipaddr.parse(address).kind() === "ipv4" ? 32 : 128}`;
  return {
    domains: [...LOCAL.domains, ...others.filter((name) => !isAddress(name))],
    networks: [...LOCAL.networks, ...others.filter(isAddress).map(single)],
  };
}

export function isPermitted({ domains, networks }: Permitted, name: string): boolean {
  if (!isAddress(name)) return domains.some((domain) => name === domain || name.endsWith(`.${domain}`));
  const address = ipaddr.parse(name);
  return networks.some((network) => {
    const [base, bitCount] = ipaddr.parseCIDR(network);
    return base.kind() === address.kind() && address.match([base, bitCount] as never);
  });
}
