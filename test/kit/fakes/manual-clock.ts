interface Timer {
  readonly atMs: number;
  readonly id: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** A clock with its timers, which stands still until it is advanced. */
export class ManualClock {
  #nowMs = 0;
  #nextId = 0;
  /** A heap with the next timer on top; among timers due together, the oldest. */
  readonly #timers: Timer[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  /** Starts at 2026-01-01. */
  nowUnixMs(): number {
    return 1_767_225_600_000 + this.#nowMs;
  }

  /** Sets a timer; call the result to cancel it. */
  readonly after = (delayMs: number, run: () => void): (() => void) => {
    const timer: Timer = { atMs: this.#nowMs + delayMs, id: this.#nextId++, run, cancelled: false };
    this.#push(timer);
    return () => {
      timer.cancelled = true;
    };
  };

  /** When the next timer is due; null if there is none. */
  get nextMs(): number | null {
    return this.#top()?.atMs ?? null;
  }

  /** Advances the clock and fires timers in order. Whatever they start runs later. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (let top = this.#top(); top !== undefined && top.atMs <= untilMs; top = this.#top()) this.fireNext();
    this.#nowMs = untilMs;
  }

  /** Advances the clock to the next timer and fires only that one. False if there is none. */
  fireNext(): boolean {
    const timer = this.#top();
    if (timer === undefined) return false;
    this.#pop();
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    timer.run();
    return true;
  }

  /** Stops the process for a while, with its timers: of all that became due, only the next one fires on return. */
  stall(byMs: number): void {
    this.#nowMs += byMs;
    this.fireNext();
  }

  /** Forgets all timers, like a process that ends. */
  clear(): void {
    this.#timers.length = 0;
  }

  #top(): Timer | undefined {
    while (this.#timers[0]?.cancelled === true) this.#pop();
    return this.#timers[0];
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, heap[parent] as Timer)) break;
      heap[index] = heap[parent] as Timer;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!isBefore(heap[child] as Timer, last)) break;
      heap[index] = heap[child] as Timer;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(left: Timer, right: Timer): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.id < right.id);
}
