/**
 * A map whose `set` gives a new version and leaves the old one as it was, in constant time, in the order of insertion.
 *
 * All versions share one `Map`, which the version that was used last holds; each of the others knows the one entry in
 * which it differs from its neighbour. Reading the newest version, which is what a log does, costs a plain `Map`; going
 * back to a version costs one step for each change since. A round of 10,000 devices changes its maps 60,000 times, and
 * copies would take minutes.
 *
 * Not safe to `set` while `forEach` runs; iterators walk over a copy and may be kept.
 * Source: Baker 1991, "Shallow binding makes functional arrays fast", ACM SIGPLAN Notices 26(8).
 */
export class VersionedMap<Key, Value> implements ReadonlyMap<Key, Value> {
  /** Null while another version holds it. */
  #entries: Map<Key, Value> | null;
  #difference: Difference<Key, Value> | null = null;
  readonly size: number;

  private constructor(entries: Map<Key, Value>) {
    this.#entries = entries;
    this.size = entries.size;
  }

  /** @param entries  Copied. */
  static from<Key, Value>(entries: Iterable<readonly [Key, Value]> = []): VersionedMap<Key, Value> {
    return new VersionedMap(new Map(entries));
  }

  /** A version in which `key` has `value`; a key that is there keeps its place. */
  set(key: Key, value: Value): VersionedMap<Key, Value> {
    const entries = this.#hold();
    const before: Difference<Key, Value>["before"] = entries.has(key)
      ? { value: entries.get(key) as Value }
      : null;
    entries.set(key, value);
    const next = new VersionedMap(entries);
    this.#entries = null;
    this.#difference = { key, before, from: this, towards: next };
    return next;
  }

  get(key: Key): Value | undefined {
    return this.#hold().get(key);
  }

  has(key: Key): boolean {
    return this.#hold().has(key);
  }

  forEach(visit: (value: Value, key: Key, map: ReadonlyMap<Key, Value>) => void): void {
    for (const [key, value] of this.#hold()) visit(value, key, this);
  }

  entries(): MapIterator<[Key, Value]> {
    return new Map(this.#hold()).entries();
  }

  keys(): MapIterator<Key> {
    return new Map(this.#hold()).keys();
  }

  values(): MapIterator<Value> {
    return new Map(this.#hold()).values();
  }

  [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.entries();
  }

  /** Brings the shared map to this version. */
  #hold(): Map<Key, Value> {
    const path: Difference<Key, Value>[] = [];
    let difference = this.#difference;
    while (difference !== null) {
      path.push(difference);
      difference = difference.towards.#difference;
    }
    // From the version that holds it, step by step to this one.
    for (const { from } of path.reverse()) from.#take();
    return this.#entries as Map<Key, Value>;
  }

  /** Takes the shared map over from the neighbour that holds it; the difference turns round. */
  #take(): void {
    const { key, before, towards } = this.#difference as Difference<Key, Value>;
    const entries = towards.#entries as Map<Key, Value>;
    const theirs = entries.has(key) ? { value: entries.get(key) as Value } : null;
    // A key that only one of two neighbours has was added last of all: the others keep their order.
    if (before === null) entries.delete(key);
    else entries.set(key, before.value);
    towards.#difference = { key, before: theirs, from: towards, towards: this };
    towards.#entries = null;
    this.#entries = entries;
    this.#difference = null;
  }
}

interface Difference<Key, Value> {
  readonly key: Key;
  /** What this version has there; null where it has nothing. */
  readonly before: { readonly value: Value } | null;
  /** The version that it is of. */
  readonly from: VersionedMap<Key, Value>;
  /** One step nearer to the version that holds the map. */
  readonly towards: VersionedMap<Key, Value>;
}
