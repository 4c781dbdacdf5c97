import type { Login } from "#coordinator/core/access/device-login.ts";
import type { World } from "./world.ts";

/*
 * Connections between devices and the coordinator. If one breaks, everything in transit on it is lost, and its two ends
 * notice at different times.
 */

export interface Connection {
  readonly device: number;
  /** True while messages pass. */
  open: boolean;
  /** Whether each end still considers it open. */
  deviceEnd: boolean;
  hostEnd: boolean;
  readonly login: Login;
  /** When the last message in each direction arrives, so that none overtakes it. */
  upMs: number;
  downMs: number;
  /** Notify the ends; each is called at most once. */
  readonly onDeviceEnd: () => void;
  readonly onHostEnd: () => void;
}

type Direction = "up" | "down";

/** Longest life of a half-open connection: the ping of a socket. */
const NOTICED_MAX_MS = 8_000;

export class Network {
  readonly #world: World;
  readonly #connections = new Set<Connection>();
  /** Devices that are cut off, and until when. */
  readonly #cutOffUntilMs = new Map<number, number>();

  constructor(world: World) {
    this.#world = world;
  }

  reaches(device: number): boolean {
    return this.#world.clock.nowMs() >= (this.#cutOffUntilMs.get(device) ?? 0);
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
  }

  /** Milliseconds that a message sent now will take. */
  latencyMs(): number {
    const { network } = this.#world.plan;
    const { dice } = this.#world;
    const usual = dice.between(1, network.latencyMaxMs);
    return dice.chance(0.03) ? usual + dice.between(0, network.stallMaxMs) : usual;
  }

  /** Carries one message; `deliver` runs on arrival: once, twice or never. */
  carry(connection: Connection, direction: Direction, what: string, deliver: () => void): void {
    const { plan, dice, clock, healed } = this.#world;
    if (!connection.open) return;
    const { network } = plan;
    if (this.#isLost(direction, what) || (!healed && dice.chance(network.loss))) {
      this.#world.trace(`d${connection.device}`, `${direction} ${what} is lost`);
      return;
    }
    const arrive = () => {
      if (connection.open) deliver();
    };
    let atMs = clock.nowMs() + this.latencyMs();
    if (!network.reorders) {
      const last = direction === "up" ? connection.upMs : connection.downMs;
      atMs = Math.max(atMs, last);
      if (direction === "up") connection.upMs = atMs;
      else connection.downMs = atMs;
    }
    clock.after(atMs - clock.nowMs(), arrive);
    if (dice.chance(network.duplication)) clock.after(atMs - clock.nowMs() + this.latencyMs(), arrive);
  }

  readonly #carried = new Map<string, number>();
  #isLost(direction: Direction, what: string): boolean {
    const { loses } = this.#world.plan.network;
    if (loses === undefined) return false;
    const name = `${direction} ${what}`;
    const count = (this.#carried.get(name) ?? 0) + 1;
    this.#carried.set(name, count);
    return loses(direction, what, count);
  }

  /**
   * Breaks a connection.
   *
   * @param notices  Which ends notice at once; the others notice later.
   */
  cut(connection: Connection, notices: { readonly device: boolean; readonly host: boolean }): void {
    if (!this.#connections.delete(connection)) return;
    connection.open = false;
    const { clock, dice } = this.#world;
    const later = (end: () => void, atOnce: boolean) =>
      clock.after(atOnce ? 0 : dice.between(1, NOTICED_MAX_MS), end);
    later(() => {
      if (connection.deviceEnd) connection.onDeviceEnd();
      connection.deviceEnd = false;
    }, notices.device);
    later(() => {
      if (connection.hostEnd) connection.onHostEnd();
      connection.hostEnd = false;
    }, notices.host);
  }

  of(device: number): Connection[] {
    return [...this.#connections].filter((connection) => connection.device === device);
  }

  /** Cuts these devices off for a while. */
  partition(devices: readonly number[], forMs: number): void {
    this.#world.trace("net", `cut off for ${forMs} ms: ${devices.join(" ")}`);
    for (const device of devices) {
      this.#cutOffUntilMs.set(device, this.#world.clock.nowMs() + forMs);
      for (const connection of this.of(device)) this.cut(connection, { device: false, host: false });
    }
  }

  /** The coordinator's process is gone, with all its connections. */
  hostGone(): void {
    for (const connection of this.#connections) {
      connection.hostEnd = false;
      this.cut(connection, { device: this.#world.dice.chance(0.5), host: true });
    }
  }
}
