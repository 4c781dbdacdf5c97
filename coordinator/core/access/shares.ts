import { siteKey } from "./address.ts";

/**
 * Tracks which addresses hold places of a full resource. An IPv6 address counts as its /48, which a single
 * site controls, so that a site with many /64 gets no more than others.
 */
export class Shares<Held> {
  readonly #heldBySite = new Map<string, Set<Held>>();

  add(address: string, held: Held): void {
    const site = siteKey(address);
    const heldHere = this.#heldBySite.get(site) ?? new Set();
    this.#heldBySite.set(site, heldHere.add(held));
  }

  remove(address: string, held: Held): void {
    const site = siteKey(address);
    const heldHere = this.#heldBySite.get(site);
    if (heldHere?.delete(held) && heldHere.size === 0) this.#heldBySite.delete(site);
  }

  /**
   * A place of whoever holds most, if they would still hold at least as many as `address` afterwards;
   * otherwise undefined.
   */
  toDisplace(address: string, which: "newest" | "oldest"): Held | undefined {
    let most: ReadonlySet<Held> = new Set();
    for (const held of this.#heldBySite.values()) if (held.size > most.size) most = held;
    const own = this.#heldBySite.get(siteKey(address))?.size ?? 0;
    return most.size > own + 1 ? [...most].at(which === "newest" ? -1 : 0) : undefined;
  }
}
