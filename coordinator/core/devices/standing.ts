import type { Departures } from "#shared/round/departures.ts";

/*
 * Who has recently left rounds and is therefore asked last. It is only in memory, so a restart forgives everyone. The log of a
 * round keeps which of its check-ins were asked last, which its replay needs; views show nothing but counts. Rule R30.
 *
 * It does not protect against a sender with many addresses, since nothing connects them. New identities cost
 * nothing either, but the count per address bounds how many help.
 */

export const STANDING = {
  /** Departures within `minutes` after which a device is asked last. */
  departures: 3,
  minutes: 10,
  /** Departures of all devices behind an address after which its newcomers are asked last. */
  departuresOfAddress: 12,
} as const;

const WINDOW_MS = STANDING.minutes * 60_000;
/**
 * Bound per kind of key; the key with the oldest departure is dropped first. It fills slowly, because new
 * identities per address are limited (W5).
 */
const KEYS_MAX = 10_000;

/** A key's newest departures, oldest first, and when it last stayed to a round's end. */
interface Record {
  readonly leftAtMs: readonly number[];
  readonly stayedAtMs: number | null;
}
const BLANK: Record = { leftAtMs: [], stayedAtMs: null };

export class Standing {
  /** By identity, for the most recent arrivals. */
  readonly #addresses = new Map<string, string>();
  readonly #devices = new Records(STANDING.departures);
  readonly #byAddress = new Records(STANDING.departuresOfAddress);

  /** @param address  Key of an address, as limits count it; null if unknown. */
  cameFrom(identity: string, address: string | null): void {
    this.#addresses.delete(identity);
    if (address !== null) setBounded(this.#addresses, identity, address);
  }

  /** Notes a finished round. @param nowMs  Monotonic. */
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
   * The device withdrew its check-in before it was invited. This only counts against the device itself: pages
   * closed while waiting say nothing about others behind their address.
   */
  withdrew(identity: string, nowMs: number): void {
    this.#devices.left(identity, nowMs);
  }

  /** True for a device with too many departures of its own, or a newcomer behind an address with too many. */
  isAskedLast(identity: string, nowMs: number): boolean {
    const own = this.#devices.of(identity, nowMs);
    if (own.leftAtMs.length >= STANDING.departures) return true;
    const isKnown = own.stayedAtMs !== null && nowMs - own.stayedAtMs < WINDOW_MS;
    const address = this.#addresses.get(identity);
    if (address === undefined || isKnown) return false;
    return this.#byAddress.of(address, nowMs).leftAtMs.length >= STANDING.departuresOfAddress;
  }

  /** Number of keys kept, so that tests can check the bound. */
  get size(): number {
    return this.#devices.size + this.#byAddress.size + this.#addresses.size;
  }
}

class Records {
  readonly #byKey = new Map<string, Record>();
  readonly #max: number;

  /** @param max  Departures kept per key. More would change nothing. */
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

  /** Staying to a round's end makes up for one departure. */
  stayed(key: string, nowMs: number): void {
    this.#put(key, { leftAtMs: this.of(key, nowMs).leftAtMs.slice(1), stayedAtMs: nowMs });
  }

  #put(key: string, record: Record): void {
    this.#byKey.delete(key);
    setBounded(this.#byKey, key, record);
  }
}

/** Adds a key that is not in the map and drops the oldest. */
function setBounded<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= KEYS_MAX) break;
    map.delete(oldest);
  }
}
