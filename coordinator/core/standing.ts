import type { Departures } from "#shared/round/departures.ts";

/*
 * Who has left rounds of late, and is therefore asked last. In memory only: nothing of it reaches a log, a database or a
 * view but counts, and a restart forgives everyone. Rule R30.
 *
 * Does not protect against a sender with many addresses: nothing connects them. New identities cost nothing either; the
 * count by address bounds how many of them help.
 */

export const STANDING = {
  /** Departures within `minutes` that put a device last. */
  departures: 3,
  minutes: 10,
  /** Those of all devices behind one address that put its newcomers last. */
  departuresOfAddress: 12,
} as const;

const WINDOW_MS = STANDING.minutes * 60_000;
/** Of each kind of key; who departed longest ago is forgotten first. New identities of an address are counted (W5), so this fills slowly. */
const KEYS_MAX = 10_000;

/** Newest departures of a key, oldest first, and when it last saw a round through. */
interface Record {
  readonly leftAtMs: readonly number[];
  readonly stayedAtMs: number | null;
}
const BLANK: Record = { leftAtMs: [], stayedAtMs: null };

export class Standing {
  /** By identity, of those who came last. */
  readonly #addresses = new Map<string, string>();
  readonly #devices = new Records(STANDING.departures);
  readonly #byAddress = new Records(STANDING.departuresOfAddress);

  /** @param address  The key of an address, as limits count it; null where nobody knows. */
  cameFrom(identity: string, address: string | null): void {
    this.#addresses.delete(identity);
    if (address !== null) setBounded(this.#addresses, identity, address);
  }

  /** A round is over. @param nowMs  Monotonic. */
  note({ left, stayed }: Departures, nowMs: number): void {
    for (const [identities, note] of [
      [left, "left"],
      [stayed, "stayed"],
    ] as const) {
      for (const identity of identities) {
        this.#devices[note](identity, nowMs);
        const address = this.#addresses.get(identity);
        if (address !== undefined) this.#byAddress[note](address, nowMs);
      }
    }
  }

  /**
   * It took a check-in back before it was invited. That counts against the device alone: pages that are closed while
   * they wait say nothing about the others behind their address.
   */
  withdrew(identity: string, nowMs: number): void {
    this.#devices.left(identity, nowMs);
  }

  /** Whether others come first: for its own departures, or as a newcomer behind an address with many. */
  isAskedLast(identity: string, nowMs: number): boolean {
    const own = this.#devices.of(identity, nowMs);
    if (own.leftAtMs.length >= STANDING.departures) return true;
    const isKnown = own.stayedAtMs !== null && nowMs - own.stayedAtMs < WINDOW_MS;
    const address = this.#addresses.get(identity);
    if (address === undefined || isKnown) return false;
    return this.#byAddress.of(address, nowMs).leftAtMs.length >= STANDING.departuresOfAddress;
  }

  /** Keys that are kept, for a test of the bound. */
  get size(): number {
    return this.#devices.size + this.#byAddress.size + this.#addresses.size;
  }
}

class Records {
  readonly #byKey = new Map<string, Record>();
  readonly #max: number;

  /** @param max  Departures that are kept of a key: more change nothing. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#byKey.size;
  }

  of(key: string, nowMs: number): Record {
    const { leftAtMs, stayedAtMs } = this.#byKey.get(key) ?? BLANK;
    return { leftAtMs: leftAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS), stayedAtMs };
  }

  left(key: string, nowMs: number): void {
    const { leftAtMs, stayedAtMs } = this.of(key, nowMs);
    this.#put(key, { leftAtMs: [...leftAtMs, nowMs].slice(-this.#max), stayedAtMs });
  }

  /** A round that was seen through makes good for one that was not. */
  stayed(key: string, nowMs: number): void {
    this.#put(key, { leftAtMs: this.of(key, nowMs).leftAtMs.slice(1), stayedAtMs: nowMs });
  }

  #put(key: string, record: Record): void {
    this.#byKey.delete(key);
    setBounded(this.#byKey, key, record);
  }
}

/** Adds a key, which is not there, and forgets the oldest. */
function setBounded<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= KEYS_MAX) break;
    map.delete(oldest);
  }
}
