/**
 * Keeps a secret out of log lines, template strings and JSON (invariant S11).
 *
 * Does not protect against code that calls `reveal`, or against copies that a JavaScript engine keeps.
 */
export class Secret<T extends Uint8Array> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The bytes themselves, not a copy, so `wipe` takes effect for everyone who holds them. */
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
