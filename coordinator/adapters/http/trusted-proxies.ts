import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { err, ok, type Result } from "#shared/kernel/result.ts";

/** Proxies whose `X-Forwarded-*` headers are believed. */
export interface TrustedProxies {
  /** @param address  As in `socket.remoteAddress`; IPv4 may be written as IPv6. */
  includes(address: string): boolean;
}

/** The only value that trusts nobody, so that it can be told by `===`. */
export const NO_PROXIES: TrustedProxies = { includes: () => false };

/** Each forwarded address is compared with all of them. */
const RANGES_MAX = 64;

/**
 * Reads addresses and CIDR ranges, separated by commas, such as "127.0.0.1,10.1.0.0/16,fd00::/8".
 *
 * Errors: a sentence that names the entry. A range of everybody is refused, since anyone could then claim any
 * address.
 */
export function readTrustedProxies(text: string): Result<TrustedProxies, string> {
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  if (entries.length > RANGES_MAX) return err(`--trusted-proxy takes at most ${RANGES_MAX} ranges.`);
  const ranges: Range[] = [];
  for (const entry of entries) {
    const range = rangeOf(entry);
    if (range === null)
      return err(
        `--trusted-proxy: ${entry.slice(0, 64)} is not an address or a range. Write it like 127.0.0.1, 10.1.0.0/16 or fd00::/8.`,
      );
    if (range[1] === 0)
      return err(
        `--trusted-proxy: ${entry} includes every address, so anyone could claim any address. Name the proxies alone.`,
      );
    ranges.push(range);
  }
  if (ranges.length === 0) return ok(NO_PROXIES);
  return ok({
    includes: (address) => {
      if (!ipaddr.isValid(address)) return false;
      const parsed = ipaddr.process(address);
      return ranges.some(
        ([network, bitCount]) => network.kind() === parsed.kind() && parsed.match(network, bitCount),
      );
    },
  });
}

type Range = readonly [network: ipaddr.IPv4 | ipaddr.IPv6, bitCount: number];

function rangeOf(entry: string): Range | null {
  const [address = "", bits, ...rest] = entry.split("/");
  if (!isAddress(address) || rest.length > 0) return null;
  const network = ipaddr.parse(address);
  // Addresses of connections are compared as IPv4, so such a range would match nobody.
  if (network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress()) return null;
  const bitCountMax = network.kind() === "ipv4" ? 32 : 128;
  if (bits === undefined) return [network, bitCountMax];
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > bitCountMax) return null;
  return [network, Number(bits)];
}

/** True for an address in its usual form, without zone: ipaddr.js also reads "0x7f.1" and "127.1". */
export function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes("%"));
}
