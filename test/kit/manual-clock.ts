/** A clock that stands still until it is told to go on, with the timers that hang on it. */
export class ManualClock {
  #nowMs = 0;
  #nextId = 0;
  readonly #timers = new Map<number, { readonly atMs: number; readonly run: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  /** Starts at 2026-01-01. */
  nowUnixMs(): number {
    return 1_767_225_600_000 + this.#nowMs;
  }

  /** A timer; call the result to cancel it. */
  readonly after = (delayMs: number, run: () => void): (() => void) => {
    const id = this.#nextId++;
    this.#timers.set(id, { atMs: this.#nowMs + delayMs, run });
    return () => this.#timers.delete(id);
  };

  /** When the next timer is due; null where there is none. */
  get nextMs(): number | null {
    const due = [...this.#timers.values()].map(({ atMs }) => atMs);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Lets time pass, firing timers in their order. What they start goes on in its own time. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= untilMs);
      due.sort(([leftId, left], [rightId, right]) => left.atMs - right.atMs || leftId - rightId);
      const [first] = due;
      if (first === undefined) break;
      const [id, timer] = first;
      this.#timers.delete(id);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.run();
    }
    this.#nowMs = untilMs;
  }

  /** Forgets all timers, as a process does that ends. */
  clear(): void {
    this.#timers.clear();
  }
}
