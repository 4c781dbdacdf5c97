import { devicesNeeded } from "#shared/round/devices-needed.ts";
import type { RunState } from "#shared/round/run.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";

/** After a round its devices check in again one by one. The run does not count this time as waiting. */
const SETTLING_MS = 3_000;
/** The wall clock may be adjusted in the meantime, so it is checked at least this often. */
const LOOK_AGAIN_MS = 86_400_000;

/** Devices of a run's task. */
export interface DeviceCounts {
  /** Devices that have checked in for the run's next round and may be in one roster. */
  readonly ready: number;
  readonly connected: number;
}

interface WaitingContext {
  readonly ports: Pick<CoordinatorPorts, "clock" | "wall" | "after">;
  readonly terms: RunTerms;
  readonly state: () => RunState;
  readonly presence: () => DeviceCounts;
  /** Has `next` called again. */
  readonly look: () => void;
  /** Called when the time set by the launch has come. */
  readonly expire: (atUnixMs: number) => void;
}

/** Decides when a run opens its next round, when it waits, and until when. Rule R25. */
export class Waiting {
  readonly #context: WaitingContext;
  readonly needed: number;
  #settlesAtMs: number | null = null;
  #cancelSettling: () => void = () => {};
  #cancelExpiry: () => void = () => {};

  constructor(context: WaitingContext) {
    this.#context = context;
    this.needed = devicesNeeded(context.terms.rules);
  }

  get isEnough(): boolean {
    return this.#context.presence().ready >= this.needed;
  }

  /** What to do now in a run whose next round may open. */
  next(): "open" | "wait" | "nothing" {
    const { ports, state, presence, look } = this.#context;
    const { ready, connected } = presence();
    if (ready >= this.needed) return "open";
    if (state().phase === "waiting") return "nothing";
    if (connected < this.needed) return "wait";
    const nowMs = ports.clock.nowMs();
    this.#settlesAtMs ??= nowMs + SETTLING_MS;
    if (nowMs >= this.#settlesAtMs) return "wait";
    this.#cancelSettling();
    this.#cancelSettling = ports.after(this.#settlesAtMs - nowMs, look);
    return "nothing";
  }

  /** Called after each change of the run. */
  update(): void {
    const { roundIsOpen, phase, facts } = this.#context.state();
    if (roundIsOpen || phase !== "running") this.#settled();
    this.#cancelExpiry();
    const { waitUntilUnixMs } = facts;
    if (waitUntilUnixMs !== undefined && (phase === "queued" || phase === "waiting"))
      this.#armExpiry(waitUntilUnixMs);
  }

  #settled(): void {
    this.#settlesAtMs = null;
    this.#cancelSettling();
  }

  #armExpiry(untilUnixMs: number): void {
    const { ports, expire } = this.#context;
    const delayMs = Math.min(Math.max(0, untilUnixMs - ports.wall.nowUnixMs()), LOOK_AGAIN_MS);
    this.#cancelExpiry = ports.after(delayMs, () => {
      const nowUnixMs = ports.wall.nowUnixMs();
      if (nowUnixMs < untilUnixMs) this.#armExpiry(untilUnixMs);
      else expire(nowUnixMs);
    });
  }

  close(): void {
    this.#cancelSettling();
    this.#cancelExpiry();
  }
}
