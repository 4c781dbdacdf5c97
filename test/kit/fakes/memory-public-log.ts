import type { LogState, LogTrouble, PublicLog } from "#coordinator/core/ports/public-log.ts";
import type { WitnessState, WitnessTrouble } from "#coordinator/core/ports/witnesses.ts";
import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { encodeLeaf, leafSubject } from "#shared/tlog/leaf.ts";
import type { LogProof } from "#shared/tlog/log-proof.ts";
import { cosignNote, formatNote, formatVerifierKey, parseNote, type VerifierKey } from "#shared/tlog/note.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import { MemoryLog } from "../tlog.ts";
import type { MemoryDatabase } from "./memory-database.ts";

/** The public log over the staged leaves of a database in memory. Its sequencer works when it is asked. */
export class MemoryPublicLog implements PublicLog {
  readonly log: MemoryLog;
  readonly #db: Pick<MemoryDatabase, "leaves">;
  readonly #primitives: Primitives;
  #head: TreeHead | null = null;
  #note: string | null = null;
  /** Root by size. */
  readonly #roots = new Map<number, string>();
  /** While it is set, nothing is published. */
  #stalled: Promise<void> | null = null;
  #resume: () => void = () => {};
  #queue: Promise<void> = Promise.resolve();

  constructor(primitives: Primitives, db: Pick<MemoryDatabase, "leaves">) {
    this.#primitives = primitives;
    this.log = new MemoryLog(primitives);
    this.#db = db;
  }

  get key() {
    return { origin: this.log.origin, publicKey: this.log.publicKey };
  }

  /** Those that its test says are asked. They sign at once, unless they are in trouble. */
  cosigners: readonly { readonly key: VerifierKey; readonly signer: Signer; trouble?: WitnessTrouble }[] = [];

  witnesses(): readonly WitnessState[] {
    return this.cosigners.map(({ key, trouble = null }) => ({ key, signed: null, trouble }));
  }

  checkpoint(): string | null {
    return this.#note;
  }

  async file(path: string): Promise<Bytes | null> {
    return this.log.files.get(path) ?? null;
  }

  rotations(): readonly number[] {
    return this.log.rotations;
  }

  head(): TreeHead | null {
    return this.#head;
  }

  state(): LogState {
    return { type: "signing", size: this.log.leaves.length, publishedAtMs: 0 };
  }

  async find(kind: string, subject: string): Promise<number | null> {
    const index = this.#db.leaves.findLastIndex(
      (leaf) => leaf.kind === kind && leafSubject(kind, leaf.body) === subject,
    );
    return index < 0 ? null : index;
  }

  /** Publishes nothing until `resume`. */
  stall(): void {
    this.#stalled = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#stalled = null;
    this.#resume();
  }

  async covers(
    index: number,
    { demand = null }: NonNullable<Parameters<PublicLog["covers"]>[1]> = {},
  ): Promise<boolean> {
    if (this.#stalled !== null) await this.#stalled;
    this.#queue = this.#queue.then(() => this.#sequence());
    await this.#queue;
    const signing = this.cosigners.filter(
      ({ key, trouble }) => trouble === undefined && demand?.keys.includes(formatVerifierKey(key)),
    );
    return index < this.log.leaves.length && signing.length >= (demand?.needed ?? 0);
  }

  async proof({
    from,
    leaves,
  }: {
    readonly from: number | null;
    readonly leaves: readonly number[];
  }): Promise<Result<LogProof, LogTrouble>> {
    const proof = await this.log.proof(from, leaves);
    return ok({ ...proof, checkpoint: await this.#cosigned(proof.checkpoint) });
  }

  async isHead({ size, root }: TreeHead): Promise<boolean> {
    return this.#roots.get(size) === bytesToHex(root);
  }

  async #cosigned(note: string): Promise<string> {
    const parsed = parseNote(note);
    assert(parsed.ok, "a note of the log");
    const { text, signatures } = parsed.value;
    const signing = this.cosigners.filter(({ trouble }) => trouble === undefined);
    const lines = signing.map(({ key, signer }) =>
      cosignNote(this.#primitives, signer, key.name, text, 1_700_000_000),
    );
    return formatNote({ text, signatures: [...signatures, ...(await Promise.all(lines))] });
  }

  async #sequence(): Promise<void> {
    const fresh = this.#db.leaves.slice(this.log.leaves.length);
    await this.log.addBytes(...fresh.map(({ kind, at, body }) => encodeLeaf(kind, at, body)));
    this.#head = await this.log.head();
    this.#note = await this.log.checkpoint();
    this.#roots.set(this.#head.size, bytesToHex(this.#head.root));
  }
}
