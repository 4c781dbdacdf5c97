import { Dexie, type Table } from "dexie";
import { localSigner, webCryptoSigner } from "#shared/crypto/signature.ts";
import type { RememberedMapping } from "#shared/data/read-csv.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { RandomBytes, Signer } from "#shared/kernel/ports.ts";
import type { ConsentEntry } from "#shared/task/consent-ledger.ts";
import type { CellChange, Cells } from "../core/memory.ts";
import type { ParticipantEnd } from "../core/participant/door.ts";
import type { MappingStore, ModelStore, StoredConsent, StoredModel } from "../core/participant/ports.ts";
import type { NamedBytes } from "../core/ports.ts";
import type { ContributionDetail } from "../core/view.ts";

/*
 * Everything that a participant's browser keeps, in one IndexedDB database for each coordinator.
 *
 * | table         | key      | holds                                                               |
 * | ------------- | -------- | ------------------------------------------------------------------- |
 * | keys          | "identity" | the identity key; non-extractable if the browser supports it      |
 * | cells         | key      | what the device remembers about rounds (core/memory.ts); token/{task}: the join token |
 * | consents      | task     | the agreed version with its hash and wording, and the pinned keys   |
 * | ledger        | number   | every agreement and withdrawal (`ConsentEntry`)                     |
 * | blocks        | number   | up to 500 rows of data                                              |
 * | contributions | id       | what left, without the shares that open a sum                       |
 * | models        | task     | the newest model                                                    |
 * | mappings      | task     | a table's header, and which of its columns and words are the task's |
 */

export interface StoredBlock {
  readonly id: number;
  readonly slug: string;
  readonly inputs: Float32Array<ArrayBuffer>;
  /** Earlier versions of the page stored an Int32Array. */
  readonly labels: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  /** Indices of removed rows. */
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
interface StoredConsentEntry {
  readonly id?: number;
  readonly slug: string;
  readonly entry: ConsentEntry;
}
type StoredKey =
  | { readonly id: "identity"; readonly publicKey: Bytes; readonly privateKey: CryptoKey }
  | { readonly id: "identity"; readonly seed: Bytes };

const NEWER: ParticipantEnd = {
  type: "storage",
  sentence:
    "A newer version of this page was opened in another tab, so this one has closed its storage. Reload it to go on.",
};
const TAKEN: ParticipantEnd = {
  type: "cleared",
  sentence: "The browser has closed the storage of this page, as it does when its data are cleared.",
};

export class BrowserStore extends Dexie implements Cells {
  declare readonly keys: Table<StoredKey, string>;
  declare readonly cells: Table<{ readonly key: string; readonly value: string }, string>;
  declare readonly consents: Table<StoredConsent, string>;
  declare readonly ledger: Table<StoredConsentEntry, number>;
  declare readonly blocks: Table<StoredBlock, number, Omit<StoredBlock, "id">>;
  declare readonly contributions: Table<StoredContribution, string>;
  declare readonly models: Table<StoredModel, string>;
  declare readonly mappings: Table<RememberedMapping & { readonly slug: string }, string>;

  #closing = false;

  /** @param onEnd  Called if this connection is closed from outside. */
  constructor(coordinatorUrl: string, onEnd: (end: ParticipantEnd) => void = () => {}) {
    // Strict: a transaction completes once it is on disk, not once the operating system has it (S10).
    super(`chorus ${new URL(coordinatorUrl).host}`, { chromeTransactionDurability: "strict" });
    this.version(1).stores({
      keys: "id",
      cells: "key",
      consents: "slug",
      blocks: "++id, slug",
      contributions: "id, [slug+at]",
      models: "slug",
    });
    this.version(2).stores({ mappings: "slug" });
    this.version(3)
      .stores({ ledger: "++id, slug" })
      .upgrade(async (tx) => {
        // Agreements of earlier pages, of which no words were kept.
        const coordinator = new URL(coordinatorUrl).origin;
        const consents: StoredConsent[] = await tx.table("consents").toArray();
        const made = consents.map(({ slug, agreedAt, task, taskHash, authority }): StoredConsentEntry => {
          const at = new Date(agreedAt).toISOString();
          return { slug, entry: { act: "agreed", at, coordinator, taskHash, task, authority, words: null } };
        });
        await tx.table("ledger").bulkAdd(made);
      });
    this.on("versionchange", () => {
      onEnd(NEWER);
      // Otherwise the newer page would wait for this one forever.
      this.#closeOwn();
    });
    // Dexie fires this on every close, its own calls included.
    this.on("close", () => this.#closing || onEnd(TAKEN));
  }

  #closeOwn(): void {
    this.#closing = true;
    this.close();
  }

  /** False if another connection blocks the database for longer. @throws if the browser provides no storage. */
  async opensWithin(limitMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), limitMs);
    });
    const opened = await Promise.race([this.open().then(() => true as const), late]);
    clearTimeout(timer);
    // If it opens after all, it must not block the database.
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

  /** The join token that is kept for a task. */
  async joinToken(task: string): Promise<string | undefined> {
    return (await this.get(`token/${task}`)) ?? undefined;
  }

  async keepJoinToken(task: string, token: string): Promise<void> {
    await this.cells.put({ key: `token/${task}`, value: token });
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
    // Two tabs may each make a key at the same time; the first one stays.
    return this.transaction("rw", this.keys, async () => {
      const other = await this.keys.get("identity");
      if (other !== undefined) return other;
      await this.keys.add(made);
      return made;
    });
  }

  /**
   * Removes everything that belongs to the task. If it was the last task, also removes the identity and what was
   * remembered under it.
   */
  async forget(slug: string): Promise<void> {
    await this.transaction("rw", this.tables, async () => {
      await this.consents.delete(slug);
      await this.ledger.where({ slug }).delete();
      await this.models.delete(slug);
      await this.mappings.delete(slug);
      await this.cells.delete(`token/${slug}`);
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

  /** The consent in force and the ledger change together. @param consent  Null if it has ended. */
  changeConsent(slug: string, consent: StoredConsent | null, entry: ConsentEntry): Promise<void> {
    return this.transaction("rw", this.consents, this.ledger, async () => {
      if (consent === null) await this.consents.delete(slug);
      else await this.consents.put(consent);
      await this.ledger.add({ slug, entry });
    });
  }

  /** Oldest first. */
  async consentLedger(slug: string): Promise<readonly ConsentEntry[]> {
    return (await this.ledger.where({ slug }).sortBy("id")).map(({ entry }) => entry);
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

  mappingStore(slug: string): MappingStore {
    return {
      get: async () => (await this.mappings.get(slug)) ?? null,
      put: ({ header, mapping }) => this.mappings.put({ slug, header, mapping }),
    };
  }

  /** Newest first; all of them if no count is given. */
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
