import type { Bytes } from "../kernel/bytes.ts";
import { equalBytes } from "../kernel/bytes.ts";
import { sha256Sync } from "./sha256-sync.ts";

/**
 * A platform's key objects, set up once for as long as the array of their secret lives: one X25519 secret meets every
 * neighbour's key, one mask key every block of a vector.
 *
 * A secret that has been overwritten is another key: what is kept beside the object is a hash of the bytes, which is
 * compared each time.
 */
export class KeyCache<Key> {
  readonly #known = new WeakMap<Bytes, { readonly digest: Bytes; readonly key: Key }>();

  get(secret: Bytes, setUp: () => Key): Key {
    const digest = sha256Sync(secret);
    const known = this.#known.get(secret);
    if (known !== undefined && equalBytes(known.digest, digest)) return known.key;
    const key = setUp();
    this.#known.set(secret, { digest, key });
    return key;
  }
}
