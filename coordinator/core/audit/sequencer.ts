import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, equalBytes } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, RandomBytes } from "#shared/kernel/ports.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import { formatCheckpoint } from "#shared/tlog/checkpoint.ts";
import { EMPTY_EDGE, grow, type TreeEdge } from "#shared/tlog/grow.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import type { LogProof } from "#shared/tlog/log-proof.ts";
import { parseNote, type SignedNote, signNote, verifyNote } from "#shared/tlog/note.ts";
import { hasTile, parseTilePath } from "#shared/tlog/tiles.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import { backoffMs } from "../ports/backoff.ts";
import type { StagedLeaf } from "../ports/leaf-store.ts";
import type { Log } from "../ports/ports.ts";
import type { LogCheck, LogState, LogTrouble, PublicLog, WitnessDemand } from "../ports/public-log.ts";
import { storeTrouble } from "../ports/store-trouble.ts";
import type { WitnessPort } from "../ports/witnesses.ts";
import { Cosigner } from "./cosigner.ts";
import { moveHead, type OpenedLog, type OpeningPorts, OVERTAKEN, openLog, signersOfStep } from "./opening.ts";
import { Publication, readTile } from "./publication.ts";
import { damaged, type Refusal } from "./refusal.ts";
import { keyAt, type Rotation, readRotations } from "./rotations.ts";

export interface SequencerPorts extends OpeningPorts {
  /** Closed once it has run, or when the log stops. */
  readonly check: LogCheck;
  readonly clock: MonotonicClock;
  readonly random: RandomBytes;
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly log: Log;
  /** Whose signatures are asked for. */
  readonly witnesses: readonly WitnessPort[];
  /** Told which key signs what is published, so that a rotation can end. May be told again. */
  readonly settleKey: (publicKey: Bytes) => Promise<void>;
}

/** A checkpoint is at most a second old under load, so leaves are looked for more often than that. */
const POLL_MS = 250;
/** Leaves of one checkpoint: about 300 kB. */
const BATCH_MAX = 1_024;
/** For which signatures of one checkpoint are gathered before it is published with them. */
const GATHER_MS = 100;
/** Earlier checkpoints from which tasks with witnesses get their proofs while the newest is not yet signed by enough. */
const EARLIER_MAX = 64;

/**
 * Puts staged leaves into the log, one batch after another:
 *
 * 1. bundles and tiles are written, durably;
 * 2. the head of the database moves, by compare-and-swap, with the signed checkpoint in its row;
 * 3. the checkpoint is published, durably;
 * 4. the witnesses are asked, and the checkpoint is published again with what they sign. Nobody waits for that who does not
 *    demand it.
 *
 * A witness never sees a tree that is not published, so an earlier database is brought back to what a witness has signed.
 * A start after a crash at any point goes on from there: files beyond the head are written again, and a head that was not
 * published is. Nothing is signed that the database's head does not follow, so no two trees of one size are ever signed.
 */
export class Sequencer implements PublicLog {
  readonly #ports: SequencerPorts;
  #state: LogState = { type: "starting" };
  #edge: TreeEdge = EMPTY_EDGE;
  #rotations: readonly Rotation[] = [];
  #published: Publication | null = null;
  /** Earlier checkpoints that witnesses have signed or are asked for, oldest first. */
  #earlier: readonly Publication[] = [];
  /** Number of witnesses' signatures in the checkpoint file. */
  #written = 0;
  readonly #cosigners: readonly Cosigner[];
  #isOpen = false;
  /** Whether all files were whole at this start. Nothing is signed before. */
  #isChecked = false;
  #isStopped = false;
  #failures = 0;
  #working: Promise<void> | null = null;
  #again = false;
  #cancelPoll: () => void = () => {};
  #cancelGather: (() => void) | null = null;
  readonly #waiting = new Set<Waiting>();

  constructor(ports: SequencerPorts) {
    this.#ports = ports;
    this.#cosigners = ports.witnesses.map((witness) => new Cosigner(witness, ports));
  }

  get key() {
    return this.#ports.key;
  }

  head(): TreeHead | null {
    return this.#published?.head ?? null;
  }

  checkpoint(): string | null {
    return this.#published?.note() ?? null;
  }

  witnesses() {
    return this.#cosigners.map((cosigner) => cosigner.state());
  }

  async file(path: string): Promise<Bytes | null> {
    const name = parseTilePath(path);
    const size = this.#published?.head.size ?? 0;
    // What is written beyond the head may still become another one after a crash, and full tiles are kept for ever.
    if (name === undefined || !hasTile(size, name)) return null;
    const { files } = this.#ports;
    return readTile(files, path);
  }

  rotations(): readonly number[] {
    const size = this.#published?.head.size ?? 0;
    return this.#rotations.map(({ index }) => index).filter((index) => index < size);
  }

  state(): LogState {
    return this.#state;
  }

  /**
   * Brings database and files to the same state. Must come before anything is staged: a database that is behind would give
   * away the places of the leaves that it has lost.
   */
  async open(): Promise<void> {
    const opened = await openLog(this.#ports, { isStart: this.#state.type === "starting" });
    if (opened.ok) await this.#adopt(opened.value);
    else this.#halt(opened.error);
  }

  /** Begins. All files are checked and the backlog is sequenced in the background. */
  start(): void {
    this.#wake();
  }

  /** Ends after the batch under way, and a check at once. Who waits is told that the log signs no more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelPoll();
    for (const cosigner of this.#cosigners) cosigner.stop();
    this.#cancelGather?.();
    await this.#ports.check.close();
    await this.#working;
    this.#answer();
  }

  async find(kind: string, subject: string): Promise<number | null> {
    const newest = (await this.#ports.store.findLeaves(kind, subject)).at(-1);
    return newest === undefined ? null : newest.sequence - 1;
  }

  covers(
    index: number,
    { signal, demand = null }: NonNullable<Parameters<PublicLog["covers"]>[1]> = {},
  ): Promise<boolean> {
    if (this.#newest(index, demand) !== null) return Promise.resolve(true);
    if (this.#isStopped || this.#state.type === "halted") return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiting = { index, demand, resolve };
      this.#waiting.add(waiting);
      signal?.addEventListener("abort", () => {
        this.#waiting.delete(waiting);
        resolve(false);
      });
      // A disk that is full is not asked more often because many wait for it.
      if (this.#failures === 0) this.#wake();
    });
  }

  async proof({
    from,
    leaves,
    demand = null,
  }: Parameters<PublicLog["proof"]>[0]): Promise<Result<LogProof, LogTrouble>> {
    const seen = seenOf(this.head(), from);
    const published = this.#newest(Math.max(seen - 1, ...leaves), demand);
    if (published === null) return err({ type: "not-covered" });
    return published.prove({ from, leaves, rotations: this.rotations() });
  }

  /** The newest checkpoint that has leaf `index` and is signed as demanded; null if there is none. */
  #newest(index: number, demand: WitnessDemand | null): Publication | null {
    const published = this.#published;
    if (published === null || published.head.size <= index) return null;
    if (demand === null) return published;
    const shown = [...this.#earlier, published];
    return shown.findLast((each) => each.size > index && each.isSignedBy(demand)) ?? null;
  }

  async isHead({ size, root }: TreeHead): Promise<boolean> {
    const published = this.#published;
    if (published === null || size > published.head.size) return false;
    const tree = await published.tree();
    const own = tree.ok ? await tree.value.rootAt(size) : tree;
    return own.ok && equalBytes(own.value, root);
  }

  /** Runs now, or once more after the batch under way. */
  #wake(): void {
    if (this.#isStopped || this.#state.type === "halted") return;
    this.#cancelPoll();
    if (this.#working !== null) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#working = this.#work().finally(() => {
      this.#working = null;
      this.#answer();
      if (this.#again) this.#wake();
    });
  }

  async #work(): Promise<void> {
    const { log, after, random } = this.#ports;
    let delayMs = POLL_MS;
    try {
      const refusal = await this.#sequenceAll();
      if (refusal !== null) return this.#halt(refusal);
      this.#failures = 0;
    } catch (error) {
      // A check that the stop has ended.
      if (this.#isStopped && !this.#isChecked) return;
      // What was written is unknown: everything is read again.
      this.#isOpen = false;
      this.#failures += 1;
      this.#again = false;
      delayMs = backoffMs(this.#failures, random);
      const sentence = `The log waits: ${storeTrouble(error) === "full" ? "the disk is full. Make room" : "database or disk do not answer"}.`;
      this.#state = { type: "waiting", sentence };
      log.warn({ error: String(error), delayMs }, "the log could not be written");
    }
    if (!this.#isStopped) this.#cancelPoll = after(delayMs, () => this.#wake());
  }

  #halt(refusal: Refusal): void {
    this.#state = refusal;
    this.#ports.log.error({ sentence: refusal.sentence }, "the log signs no more");
  }

  async #sequenceAll(): Promise<Refusal | null> {
    if (!this.#isOpen) {
      const opened = await openLog(this.#ports, { isStart: this.#state.type === "starting" });
      if (!opened.ok) return opened.error;
      await this.#adopt(opened.value);
    }
    if (!this.#isChecked) {
      const { check } = this.#ports;
      const fault = this.#published === null ? null : await check.run(this.#published.head);
      if (fault !== null) return damaged(fault).error;
      this.#isChecked = true;
      await check.close();
    }
    await this.#publishSignatures();
    if (this.#state.type !== "signing")
      this.#state = { type: "signing", size: this.#edge.size, publishedAtMs: null };
    while (!this.#isStopped) {
      const leaves = await this.#ports.store.leavesAfter(this.#edge.size, BATCH_MAX);
      if (leaves.length === 0) return null;
      const refusal = await this.#sequence(leaves);
      if (refusal !== null) return refusal;
      await this.#publishSignatures();
    }
    return null;
  }

  async #adopt({ edge, published, rotations, movedCount }: OpenedLog): Promise<void> {
    if (movedCount > 0)
      this.#ports.log.warn({ movedCount }, "entries of an earlier database now come after those of the log");
    this.#edge = edge;
    this.#rotations = rotations;
    this.#isOpen = true;
    if (published === null) return;
    await this.#goOn(published);
    await this.#settleKey(published.head.size);
  }

  async #sequence(leaves: readonly StagedLeaf[]): Promise<Refusal | null> {
    const { primitives, files, key } = this.#ports;
    const bytes = leaves.map(({ kind, at, body }) => encodeLeaf(kind, at, body));
    const { edge, head, files: written } = await grow(primitives, this.#edge, bytes);
    const rotations = [
      ...this.#rotations,
      ...readRotations(leaves.filter((leaf) => leaf.kind === "log.keyRotated")),
    ];
    const signers = await signersOfStep(this.#ports, rotations, this.#edge.size, head.size);
    if (!signers.ok) return signers.error;
    await files.write(written);
    const text = formatCheckpoint({ origin: key.origin, size: head.size, root: head.root });
    const signatures = await Promise.all(
      signers.value.map((signer) => signNote(primitives, signer, key.origin, text)),
    );
    const next = this.#publication(head, { text, signatures });
    if (!(await moveHead(this.#ports, this.#published?.head.size ?? null, head, next.ownNote)))
      return OVERTAKEN.error;
    await files.publish(next.ownNote);
    this.#written = 0;
    const isRotated = rotations.length > this.#rotations.length;
    this.#edge = edge;
    this.#rotations = rotations;
    this.#show(next);
    for (const cosigner of this.#cosigners) cosigner.ask(next);
    if (isRotated) await this.#settleKey(head.size);
    this.#state = { type: "signing", size: head.size, publishedAtMs: this.#ports.clock.nowMs() };
    return null;
  }

  /** Ends a rotation that the published checkpoint has. */
  async #settleKey(size: number): Promise<void> {
    const { primitives, key, settleKey } = this.#ports;
    const current = await keyAt(primitives, key, this.#rotations, size);
    if (current !== null) await settleKey(current);
  }

  /** Goes on from what is published, and asks for the signatures that it has not got. */
  async #goOn({ head, note }: NonNullable<OpenedLog["published"]>): Promise<void> {
    const { primitives, witnesses } = this.#ports;
    const parsed = parseNote(note);
    assert(parsed.ok, "a checkpoint that was opened");
    const { text, signatures } = parsed.value;
    // Opened again after a failure: what is in memory has more signatures than the file.
    if (this.#published?.text === text) return;
    const own = signatures.filter(({ name }) => name === this.key.origin);
    const next = this.#publication(head, { text, signatures: own });
    const missing: number[] = [];
    for (const [index, { key }] of witnesses.entries()) {
      const lines = signatures.filter(({ name, keyId }) => name === key.name && keyId === key.id).slice(0, 1);
      const verified = await verifyNote(primitives, { text, signatures: lines }, [key]);
      const timeS = verified.ok ? verified.value[0]?.timeS : undefined;
      if (lines[0] === undefined || timeS === undefined || timeS === null) {
        missing.push(index);
        continue;
      }
      next.add(key, lines[0]);
      this.#cosigners[index]?.remember(head.size, timeS);
    }
    this.#written = next.signatureCount();
    this.#show(next);
    for (const index of missing) this.#cosigners[index]?.ask(next);
  }

  /** Signatures come together, so a moment is given to the others. A disk that is full is not asked more often because of them. */
  #publishSoon(): void {
    if (this.#failures > 0 || this.#isStopped) return;
    this.#cancelGather ??= this.#ports.after(GATHER_MS, () => {
      this.#cancelGather = null;
      if (this.#failures === 0) this.#wake();
    });
  }

  /** Publishes what witnesses have signed since. */
  async #publishSignatures(): Promise<void> {
    const published = this.#published;
    if (published === null || published.signatureCount() === this.#written) return;
    const count = published.signatureCount();
    await this.#ports.files.publish(published.note());
    this.#written = count;
  }

  #publication(head: TreeHead, note: SignedNote): Publication {
    const { primitives, files } = this.#ports;
    const onSigned = (publication: Publication) => {
      this.#answer();
      if (publication === this.#published && this.#written < publication.signatureCount())
        this.#publishSoon();
    };
    return new Publication(head, note, { primitives, files, onSigned });
  }

  #show(next: Publication): void {
    const before = this.#published;
    this.#published = next;
    if (before !== null && before.head.size < next.head.size && this.#cosigners.length > 0)
      this.#earlier = [...this.#earlier, before].slice(-EARLIER_MAX);
    this.#answer();
  }

  #answer(): void {
    const isOver = this.#isStopped || this.#state.type === "halted";
    for (const waiting of this.#waiting) {
      const isCovered = this.#newest(waiting.index, waiting.demand) !== null;
      if (!isCovered && !isOver) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(isCovered);
    }
  }
}

/** Leaves that a reader has seen of this log; 0 if it says more than the log has, which nobody can prove to it. */
export function seenOf(head: TreeHead | null, from: number | null): number {
  return from !== null && head !== null && from <= head.size ? from : 0;
}

interface Waiting {
  readonly index: number;
  readonly demand: WitnessDemand | null;
  readonly resolve: (isCovered: boolean) => void;
}
