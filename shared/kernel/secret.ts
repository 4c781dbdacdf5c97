/**
 * Holds a secret so that no log line, template string or JSON shows it (invariant S11).
 *
 * Does not protect against code that calls `reveal`, nor against copies that a JavaScript engine keeps.
 */
export class Secret<T extends Uint8Array> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The bytes themselves, not a copy: `wipe` reaches every holder. */
  reveal(): T {
    return this.#value;
  }

  /** Overwrites the bytes with zeros. */
  wipe(): void {
    this.#value.fill(0);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}
