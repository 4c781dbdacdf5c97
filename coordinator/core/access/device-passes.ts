import { newToken } from "#shared/access/tokens.ts";
import type { MonotonicClock, RandomBytes } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Principal } from "./principal.ts";

type Device = Extract<Principal, { readonly kind: "device" }>;

/** The longest round is far shorter, and each login brings a new one. */
const PASS_LIFE_MS = 24 * 3_600_000;
const PASS_COUNT_MAX = 2 * LIMITS.goalMax;

interface PassOrigin {
  readonly projectId: string;
  /** The join token that enrolled the device. */
  readonly enrolledBy: string;
}

interface Pass extends PassOrigin {
  readonly device: Device;
  readonly passHash: string;
  readonly endsAtMs: number;
}

interface PassPorts {
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
  /** SHA-256, hex. */
  readonly hashOf: (token: string) => Promise<string>;
}

/**
 * Passes with which enrolled devices read their task over HTTP. In memory: a device logs in again after a restart, and
 * gets another. An identity has one.
 */
export class DevicePasses {
  readonly #ports: PassPorts;
  readonly #byHash = new Map<string, Pass>();
  readonly #byIdentity = new Map<string, Pass>();

  constructor(ports: PassPorts) {
    this.#ports = ports;
  }

  async make(identity: string, task: string, from: PassOrigin): Promise<string> {
    const { random, clock, hashOf } = this.#ports;
    const token = newToken("device", random);
    const passHash = await hashOf(token);
    this.end(identity);
    const device: Device = { kind: "device", identity, task };
    const pass = { ...from, device, passHash, endsAtMs: clock.nowMs() + PASS_LIFE_MS };
    this.#byHash.set(passHash, pass);
    this.#byIdentity.set(identity, pass);
    for (const oldest of this.#byIdentity.keys()) {
      if (this.#byIdentity.size <= PASS_COUNT_MAX) break;
      this.end(oldest);
    }
    return token;
  }

  /** Null if the pass is unknown or has ended. */
  async deviceOf(token: string): Promise<Device | null> {
    const pass = this.#byHash.get(await this.#ports.hashOf(token));
    return pass === undefined || this.#ports.clock.nowMs() >= pass.endsAtMs ? null : pass.device;
  }

  /** Ends those for tasks of this project, or those of devices that this token enrolled. */
  endOf(of: { readonly projectId: string } | { readonly enrolledBy: string }): void {
    for (const [identity, pass] of [...this.#byIdentity]) {
      const ends = "projectId" in of ? pass.projectId === of.projectId : pass.enrolledBy === of.enrolledBy;
      if (ends) this.end(identity);
    }
  }

  end(identity: string): void {
    const pass = this.#byIdentity.get(identity);
    if (pass === undefined) return;
    this.#byIdentity.delete(identity);
    this.#byHash.delete(pass.passHash);
  }
}
