import { Dexie, type Table } from "dexie";
import { localSigner, webCryptoSigner } from "#shared/crypto/signature.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { RandomBytes, Signer } from "#shared/kernel/ports.ts";
import type { CellChange, Cells } from "../core/memory.ts";
import type { ModelStore, StoredConsent, StoredModel } from "../core/participant/ports.ts";
import type { NamedBytes } from "../core/ports.ts";
import type { ContributionDetail } from "../core/view.ts";

/*
 * Everything that a participant's browser keeps, in one IndexedDB database for each coordinator.
 *
 * | table         | key      | holds                                                             |
 * | ------------- | -------- | ----------------------------------------------------------------- |
 * | keys          | "identity" | the identity key; non-extractable where the browser can         |
 * | cells         | key      | what the device remembers of rounds (core/memory.ts)              |
 * | consents      | task     | version, hash and wording that was agreed to, and the pinned keys |
 * | blocks        | number   | up to 500 rows of data                                            |
 * | contributions | id       | what left, without the shares that open a sum                     |
 * | models        | task     | the newest model                                                  |
 */

export interface StoredBlock {
  readonly id: number;
  readonly slug: string;
  readonly inputs: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  /** Rows that were removed. */
  readonly gone: readonly number[];
}
export interface StoredContribution {
  readonly id: string;
  readonly slug: string;
  readonly at: number;
  readonly detail: ContributionDetail;
  readonly sent: readonly NamedBytes[];
  readonly own: Bytes | null;
}
type StoredKey =
  | { readonly id: "identity"; readonly publicKey: Bytes; readonly privateKey: CryptoKey }
  | { readonly id: "identity"; readonly seed: Bytes };

const NEWER =
  "A newer version of this page was opened in another tab, and this one has let go of the storage. Reload it to go on.";
const TAKEN = "The browser has closed the storage of this page, as it does when its data are cleared.";

export class BrowserStore extends Dexie implements Cells {
  declare readonly keys: Table<StoredKey, string>;
  declare readonly cells: Table<{ readonly key: string; readonly value: string }, string>;
  declare readonly consents: Table<StoredConsent, string>;
  declare readonly blocks: Table<StoredBlock, number, Omit<StoredBlock, "id">>;
  declare readonly contributions: Table<StoredContribution, string>;
  declare readonly models: Table<StoredModel, string>;

  #closing = false;

  /** @param onEnd  Called when this connection was closed from outside, with a sentence. */
  constructor(coordinatorUrl: string, onEnd: (sentence: string) => void = () => {}) {
    // Strict: a transaction is done when it is on the disk, not when the system has heard of it (S10).
    super(`chorus ${new URL(coordinatorUrl).host}`, { chromeTransactionDurability: "strict" });
    this.version(1).stores({
      keys: "id",
      cells: "key",
      consents: "slug",
      blocks: "++id, slug",
      contributions: "id, [slug+at]",
      models: "slug",
    });
    this.on("versionchange", () => {
      onEnd(NEWER);
      // Else the newer page would wait for this one without end.
      this.#closeOwn();
    });
    // Dexie says it of every end, its own calls included.
    this.on("close", () => this.#closing || onEnd(TAKEN));
  }

  #closeOwn(): void {
    this.#closing = true;
    this.close();
  }

  /** False where another connection holds the database for longer. @throws where the browser gives no storage. */
  async opensWithin(limitMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), limitMs);
    });
    const opened = await Promise.race([this.open().then(() => true as const), late]);
    clearTimeout(timer);
    // What opens after all must not hold the database.
    if (!opened) this.#closeOwn();
    return opened;
  }

  async get(key: string): Promise<string | null> {
    return (await this.cells.get(key))?.value ?? null;
  }

  swap(changes: readonly CellChange[]): Promise<boolean> {
    return this.transaction("rw", this.cells, async () => {
      for (const { key, before } of changes) {
        if (((await this.cells.get(key))?.value ?? null) !== before) return false;
      }
      await this.cells.bulkPut(changes.map(({ key, after }) => ({ key, value: after })));
      return true;
    });
  }

  /** The identity key, made at the first call. */
  async signer(random: RandomBytes): Promise<Signer> {
    const stored = (await this.keys.get("identity")) ?? (await this.#makeKey(random));
    const { subtle } = globalThis.crypto;
    return "seed" in stored
      ? localSigner(stored.seed)
      : webCryptoSigner(subtle, stored.privateKey, stored.publicKey);
  }

  async #makeKey(random: RandomBytes): Promise<StoredKey> {
    const made = await generateKey(random);
    // Two tabs may make one at a time; the first stays.
    return this.transaction("rw", this.keys, async () => {
      const other = await this.keys.get("identity");
      if (other !== undefined) return other;
      await this.keys.add(made);
      return made;
    });
  }

  /** Removes what belongs to a task; with the last task also the identity and what was remembered under it. */
  async forget(slug: string): Promise<void> {
    await this.transaction("rw", this.tables, async () => {
      await this.consents.delete(slug);
      await this.models.delete(slug);
      await this.blocks.where({ slug }).delete();
      await this.contributions
        .where("[slug+at]")
        .between([slug, Dexie.minKey], [slug, Dexie.maxKey])
        .delete();
      if ((await this.consents.count()) > 0) return;
      await this.keys.clear();
      await this.cells.clear();
    });
  }

  get modelStore(): ModelStore {
    return {
      newest: async (slug) => (await this.models.get(slug)) ?? null,
      put: (model) => this.models.put(model),
      setOrigin: ({ slug, modelHash, runId, round }) =>
        this.models
          .where({ slug })
          .and((model) => model.modelHash === modelHash)
          .modify({ runId, round }),
    };
  }

  /** Newest first; all if no count is given. */
  newestContributions(slug: string, count?: number): Promise<StoredContribution[]> {
    const ofTask = this.contributions
      .where("[slug+at]")
      .between([slug, Dexie.minKey], [slug, Dexie.maxKey])
      .reverse();
    return (count === undefined ? ofTask : ofTask.limit(count)).toArray();
  }
}

async function generateKey(random: RandomBytes): Promise<StoredKey> {
  try {
    const { subtle } = globalThis.crypto;
    const pair = (await subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"])) as CryptoKeyPair;
    const publicKey = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
    return { id: "identity", publicKey, privateKey: pair.privateKey };
  } catch {
    // A browser without Ed25519 in WebCrypto keeps the seed itself.
    return { id: "identity", seed: random(32) };
  }
}
