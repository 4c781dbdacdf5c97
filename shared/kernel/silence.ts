import type { MonotonicClock } from "./ports.ts";

const TICK_MS_MAX = 1_000;

export interface Silence {
  /** Restarts the count. */
  heard(): void;
  end(): void;
}

/**
 * Calls `onSilent` once, after nothing has been heard for `limitMs`. Counts only time in which timers run, so a frozen tab
 * or a stopped process does not count as silence. Rule T4.
 *
 * @param limitMs  Read at every tick, so it may change during the wait.
 */
export function watchSilence(
  ports: {
    readonly clock: MonotonicClock;
    readonly after: (delayMs: number, run: () => void) => () => void;
  },
  limitMs: () => number,
  onSilent: () => void,
): Silence {
  let silentMs = 0;
  let cancel: () => void = () => {};
  const wait = () => {
    const beganMs = ports.clock.nowMs();
    const tickMs = Math.min(TICK_MS_MAX, Math.max(1, limitMs() / 4));
    cancel = ports.after(tickMs, () => {
      // If a tick comes much too late, the whole process was held up: do not count all of that time.
      silentMs += Math.min(ports.clock.nowMs() - beganMs, 2 * tickMs);
      if (silentMs < limitMs()) wait();
      else onSilent();
    });
  };
  wait();
  return {
    heard: () => {
      silentMs = 0;
    },
    end: () => cancel(),
  };
}
