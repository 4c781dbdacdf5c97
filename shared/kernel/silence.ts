import type { MonotonicClock } from "./ports.ts";

const TICK_MS_MAX = 1_000;

export interface Silence {
  /** Begins to count anew. */
  heard(): void;
  end(): void;
}

/**
 * Calls `onSilent` once, when nothing was heard for `limitMs`. It counts only time in which timers run: a frozen tab or a
 * stopped process is not silence. Rule T4.
 *
 * @param limitMs  Asked at each tick, so that it may change while it is waited.
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
      // A tick that comes much later than asked for was held back together with everything else.
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
