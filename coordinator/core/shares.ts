import { addressKey } from "./rate-limit.ts";

/**
 * What addresses hold of something that is full. An IPv6 address counts as its /48, which one site controls, so that a
 * site with many /64 has no more than others.
 */
export class Shares<Held> {
  readonly #heldByNetwork = new Map<string, Set<Held>>();

  add(address: string, held: Held): void {
    const network = networkKey(address);
    const heldHere = this.#heldByNetwork.get(network) ?? new Set();
    this.#heldByNetwork.set(network, heldHere.add(held));
  }

  remove(address: string, held: Held): void {
    const network = networkKey(address);
    const heldHere = this.#heldByNetwork.get(network);
    if (heldHere?.delete(held) && heldHere.size === 0) this.#heldByNetwork.delete(network);
  }

  /** One of whoever holds most, if that is still no less than `address` would hold then; undefined if not. */
  toDisplace(address: string, which: "newest" | "oldest"): Held | undefined {
    let most: ReadonlySet<Held> = new Set();
    for (const held of this.#heldByNetwork.values()) if (held.size > most.size) most = held;
    const own = this.#heldByNetwork.get(networkKey(address))?.size ?? 0;
    return most.size > own + 1 ? [...most].at(which === "newest" ? -1 : 0) : undefined;
  }
}

/** The /48 of an IPv6 address or of its key; any other address as it is. */
function networkKey(address: string): string {
  const key = addressKey(address);
  return key.includes(":") ? key.split(":").slice(0, 3).join(":") : key;
}
