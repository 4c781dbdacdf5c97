import type { Bytes } from "../kernel/bytes.ts";
import { equalBytes } from "../kernel/bytes.ts";
import { sha256Sync } from "./sha256-sync.ts";

/**
 * Caches the platform's key object of a secret for as long as the secret's array lives. One X25519 secret is used with
 * every neighbour's key, and one mask key for every block of a vector.
 *
 * An array that has been overwritten holds another secret, so the cache stores a hash of the bytes and compares it at
 * each use.
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
