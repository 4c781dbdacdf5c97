/**
 * Counts work in progress, so that a test knows when there is none: every promise returned by a tracked object's
 * methods. Between two such promises the program runs only microtasks.
 */
export class InFlight {
  #count = 0;
  /** Methods whose promises are not counted, because a test holds them back. */
  readonly ignored = new Set<string>();

  /** Returns the object with its methods counted. */
  track<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name, object);
        if (typeof value !== "function") return value;
        return (...parameters: unknown[]) => {
          const result: unknown = Reflect.apply(value, object, parameters);
          if (result instanceof Promise && !this.ignored.has(String(name))) this.add(result);
          return result;
        };
      },
    });
  }

  add(work: Promise<unknown>): void {
    this.#count += 1;
    const ended = () => {
      this.#count -= 1;
    };
    work.then(ended, ended);
  }

  /** Resolves when nothing has been in progress for a few turns of the event loop. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 6; ) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.#count === 0 ? quiet + 1 : 0;
    }
  }
}
