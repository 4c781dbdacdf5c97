/**
 * Runs one piece of work at a time, in the order given. A failed piece does not stop the next.
 *
 * By hand, because p-queue adds only priorities, timeouts and events, which nobody here uses, and needs a platform's types.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();
  #pendingCount = 0;

  get isIdle(): boolean {
    return this.#pendingCount === 0;
  }

  /** Settles as `work` does. */
  run<Value>(work: () => Value | Promise<Value>): Promise<Value> {
    this.#pendingCount++;
    const turn = this.#last.then(work);
    const end = () => {
      this.#pendingCount--;
    };
    this.#last = turn.then(end, end);
    return turn;
  }

  /** Resolves when all work given so far has ended. Never rejects. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
