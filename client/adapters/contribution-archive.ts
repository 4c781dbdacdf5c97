import { type Bytes, bytesToHex, utf8 } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { ContributionStore, NamedText, StoredConsent } from "../core/participant/ports.ts";
import type { KeptContribution, NamedBytes } from "../core/ports.ts";
import { OPENING_NAME } from "../core/round/contribution.ts";
import type { ContributionDetail } from "../core/view.ts";
import type { BrowserStore, StoredContribution } from "./browser-store.ts";
import { type TarFile, tar } from "./tar.ts";

/** This many contributions keep their bytes; older ones keep only their figures. */
const WITH_BYTES_MAX = 50;
const SHOWN_MAX = 100;

/** What left this browser, kept in it for its owner. */
export class ContributionArchive implements ContributionStore {
  readonly #store: BrowserStore;
  readonly #slug: string;
  /** Shares that open a sum, by contribution; gone when the page closes. */
  readonly #openings = new Map<string, NamedBytes>();

  readonly #primitives: Pick<Primitives, "sha256">;

  constructor(store: BrowserStore, slug: string, primitives: Pick<Primitives, "sha256">) {
    this.#store = store;
    this.#primitives = primitives;
    this.#slug = slug;
  }

  async save({ detail, sent, own }: KeptContribution): Promise<void> {
    const opening = sent.find(({ name }) => name === OPENING_NAME);
    if (opening !== undefined) this.#openings.set(detail.id, opening);
    const kept = sent.filter(({ name }) => name !== OPENING_NAME);
    const { id, at } = detail;
    await this.#store.contributions.put({ id, at, slug: this.#slug, detail, sent: kept, own });
    await this.#thin();
  }

  async #thin(): Promise<void> {
    const newest = await this.#store.newestContributions(this.#slug, WITH_BYTES_MAX + 1);
    const oldest = newest[WITH_BYTES_MAX];
    if (oldest !== undefined && oldest.sent.length > 0)
      await this.#store.contributions.put({ ...oldest, sent: [], own: null });
  }

  async details(): Promise<ContributionDetail[]> {
    const stored = await this.#store.newestContributions(this.#slug, SHOWN_MAX);
    return stored.map(({ detail }) => detail);
  }

  async find(id: string): Promise<ContributionDetail | null> {
    return (await this.#store.contributions.get(id))?.detail ?? null;
  }

  async tarOne(id: string, now: number): Promise<Bytes | null> {
    const stored = await this.#store.contributions.get(id);
    return stored === undefined ? null : tar(this.#filesOf(stored, ""), now);
  }

  async tarAll(consent: StoredConsent | null, texts: readonly NamedText[], now: number): Promise<Bytes> {
    const stored = await this.#store.newestContributions(this.#slug);
    const files = stored
      .reverse()
      .flatMap((contribution) => this.#filesOf(contribution, `${contribution.id}/`));
    const agreed = consent === null ? [] : [{ name: "agreed.json", data: json(consent) }];
    const written = texts.map(({ name, text }) => ({ name, data: utf8(text) }));
    const all = [...written, ...agreed, ...files];
    return tar([...all, { name: "index.json", data: json(await this.#index(all)) }], now);
  }

  async #index(files: readonly TarFile[]) {
    const entries = files.map(async ({ name, data }) => ({
      name,
      byteCount: data.length,
      sha256: bytesToHex(await this.#primitives.sha256(new Uint8Array(data))),
    }));
    return { format: "chorus-my-contributions/1", task: this.#slug, files: await Promise.all(entries) };
  }

  #filesOf({ id, detail, sent, own }: StoredContribution, folder: string): TarFile[] {
    const { sample: _sample, histograms: _histograms, ...facts } = detail;
    const opening = this.#openings.get(id);
    return [
      { name: `${folder}receipt.json`, data: json(facts) },
      ...[...sent, ...(opening === undefined ? [] : [opening])].map(({ name, bytes }) => ({
        name: `${folder}left/${name}`,
        data: bytes,
      })),
      ...(own === null ? [] : [{ name: `${folder}stayed/own-list.i32`, data: own }]),
    ];
  }
}

function json(value: object): Bytes {
  return utf8(`${JSON.stringify(value, null, 2)}\n`);
}
