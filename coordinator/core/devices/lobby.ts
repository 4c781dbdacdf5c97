import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { departuresOf } from "#shared/round/departures.ts";
import type { RoundState } from "#shared/round/state.ts";
import { Standing } from "./standing.ts";

/** A device that is ready for a round, and whether others are asked first. Rule R30. */
export interface ReadyDevice {
  readonly identity: string;
  readonly askedLast: boolean;
}

/** A connected device and what it waits for. */
interface Guest {
  readonly task: string;
  /** The version it would train; null while it is not ready for a round. */
  version: number | null;
  /**
   * The version of its last check-in, kept while it takes part in a round. Null if it never checked in or has
   * left.
   */
  agreed: number | null;
  /** Size of the public log as it saw it last; 0 if it says nothing. */
  logSize: number;
}

/**
 * Who is connected, and who is ready for a round. It is only in memory: a device checks in again after each
 * login, so a restart or a lost connection loses nobody.
 */
export class Lobby {
  readonly #guests = new Map<string, Guest>();
  readonly #standing = new Standing();
  readonly #clock: MonotonicClock;
  readonly #onChange: (task: string) => void;

  /**
   * @param onChange  Called with a task if one of its devices has come, gone, become ready or is no longer
   *                  ready.
   */
  constructor(clock: MonotonicClock, onChange: (task: string) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /**
   * @param address  See `Standing.cameFrom`.
   * @param logSize  Size of the public log as it says that it saw it last.
   */
  enter(identity: string, task: string, address: string | null, logSize = 0): void {
    this.#standing.cameFrom(identity, address);
    this.#guests.set(identity, { task, version: null, agreed: null, logSize });
    this.#onChange(task);
  }

  leave(identity: string): void {
    const guest = this.#guests.get(identity);
    this.#guests.delete(identity);
    if (guest !== undefined) this.#onChange(guest.task);
  }

  taskOf(identity: string): string | null {
    return this.#guests.get(identity)?.task ?? null;
  }

  checkIn(identity: string, version: number, logSize = 0): void {
    const guest = this.#guests.get(identity);
    if (guest === undefined) return;
    guest.agreed = version;
    guest.logSize = logSize;
    this.#setReady(guest, version);
  }

  /** The device takes part in a round. It checks in again afterwards. */
  invited(identity: string): void {
    const guest = this.#guests.get(identity);
    if (guest !== undefined) this.#setReady(guest, null);
  }

  /** The device stays connected, but no longer waits for a round. */
  withdraw(identity: string): void {
    const guest = this.#guests.get(identity);
    if (guest === undefined) return;
    if (guest.agreed !== null) this.#standing.withdrew(identity, this.#clock.nowMs());
    guest.agreed = null;
    this.#setReady(guest, null);
  }

  #setReady(guest: Guest, version: number | null): void {
    if (guest.version === version) return;
    guest.version = version;
    this.#onChange(guest.task);
  }

  /** Where a proof of the public log begins that this device is sent. */
  logSize(identity: string): number {
    return this.#guests.get(identity)?.logSize ?? 0;
  }

  /** In order of arrival. */
  ready(task: string, version: number): string[] {
    const identities: string[] = [];
    for (const [identity, guest] of this.#guests) {
      if (guest.task === task && guest.version === version) identities.push(identity);
    }
    return identities;
  }

  /**
   * Number of devices that a round of this version may expect: connected, checked in for it and not asked
   * last. Rules R3, R30.
   */
  expectedCount(task: string, version: number): number {
    const nowMs = this.#clock.nowMs();
    let count = 0;
    for (const [identity, guest] of this.#guests) {
      if (guest.task === task && guest.agreed === version && !this.#standing.isAskedLast(identity, nowMs))
        count += 1;
    }
    return count;
  }

  /** Connected devices that agreed to this version, whatever they do now. */
  agreedCount(task: string, version: number): number {
    let count = 0;
    for (const guest of this.#guests.values())
      if (guest.task === task && guest.agreed === version) count += 1;
    return count;
  }

  /** These devices, as check-ins of a round. */
  checkIns(identities: readonly string[]): ReadyDevice[] {
    const nowMs = this.#clock.nowMs();
    return identities.map((identity) => ({
      identity,
      askedLast: this.#standing.isAskedLast(identity, nowMs),
    }));
  }

  /** Notes who left a finished round and who stayed to its end. */
  roundEnded(state: RoundState): void {
    this.#standing.note(departuresOf(state), this.#clock.nowMs());
  }

  connected(task: string): string[] {
    const identities: string[] = [];
    for (const [identity, guest] of this.#guests) if (guest.task === task) identities.push(identity);
    return identities;
  }
}
