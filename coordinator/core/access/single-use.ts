import type { MonotonicClock } from "#shared/kernel/ports.ts";

/**
 * What works once and for a while, by its key: challenges, tickets, links. The monotonic clock ends it. In memory, so a
 * restart ends all of it.
 */
export class SingleUse<Value> {
  readonly #clock: MonotonicClock;
  readonly #lifeMs: number;
  readonly #countMax: number;
  readonly #held = new Map<string, { readonly value: Value; readonly endsAtMs: number }>();

  /** @param countMax  The oldest makes room for one more. */
  constructor(
    clock: MonotonicClock,
    { lifeMs, countMax }: { readonly lifeMs: number; readonly countMax: number },
  ) {
    this.#clock = clock;
    this.#lifeMs = lifeMs;
    this.#countMax = countMax;
  }

  put(key: string, value: Value): void {
    const nowMs = this.#clock.nowMs();
    // All live equally long, so the oldest ends first.
    for (const [oldest, { endsAtMs }] of this.#held) {
      if (endsAtMs > nowMs && this.#held.size < this.#countMax) break;
      this.#held.delete(oldest);
    }
    this.#held.set(key, { value, endsAtMs: nowMs + this.#lifeMs });
  }

  /** Uses it up. Null if it is unknown, used or over. */
  take(key: string): Value | null {
    const held = this.peek(key);
    this.#held.delete(key);
    return held;
  }

  /** Without using it up. */
  peek(key: string): Value | null {
    const held = this.#held.get(key);
    return held !== undefined && this.#clock.nowMs() < held.endsAtMs ? held.value : null;
  }
}
