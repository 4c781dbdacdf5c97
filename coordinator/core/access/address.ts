import ipaddr from "ipaddr.js";

/**
 * The part of an address that one household or host controls: a whole IPv4 address, or the /64 of an IPv6
 * address, since a host may use any address in it. IPv4 written as IPv6 counts as IPv4. Anything else is
 * returned unchanged.
 */
export function addressKey(address: string): string {
  return prefixOf(address, 64);
}

/** The /48 of an IPv6 address or its key, which one site controls. Anything else is returned unchanged. */
export function siteKey(address: string): string {
  return prefixOf(address, 48);
}

export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

function prefixOf(address: string, bitCount: 48 | 64): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  return new ipaddr.IPv6(parsed.parts.map((part, index) => (16 * index < bitCount ? part : 0))).toString();
}
