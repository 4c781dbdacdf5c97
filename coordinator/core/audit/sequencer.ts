import { present } from "#shared/kernel/assert.ts";
import { type Bytes, equalBytes } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, RandomBytes } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { formatCheckpoint } from "#shared/tlog/checkpoint.ts";
import { EMPTY_EDGE, grow, type TreeEdge } from "#shared/tlog/grow.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import type { LogProof, ProvedLeaf } from "#shared/tlog/log-proof.ts";
import { formatNote, signNote, type VerifierKey } from "#shared/tlog/note.ts";
import { openTiledTree, type TiledTree } from "#shared/tlog/tiled-tree.ts";
import { cutTile, hasTile, parseTilePath, TILE_WIDTH, tilePath } from "#shared/tlog/tiles.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import { backoffMs } from "../ports/backoff.ts";
import type { StagedLeaf } from "../ports/leaf-store.ts";
import type { Log } from "../ports/ports.ts";
import type { LogCheck, LogState, LogTrouble, PublicLog } from "../ports/public-log.ts";
import { storeTrouble } from "../ports/store-trouble.ts";
import {
  damaged,
  moveHead,
  type OpenedLog,
  type OpeningPorts,
  OVERTAKEN,
  openLog,
  type Refusal,
  signersOfStep,
} from "./opening.ts";
import { keyAt, type Rotation, readRotations } from "./rotations.ts";

export interface SequencerPorts extends OpeningPorts {
  /** Closed once it has run, or when the log stops. */
  readonly check: LogCheck;
  readonly clock: MonotonicClock;
  readonly random: RandomBytes;
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly log: Log;
  readonly witnesses: readonly VerifierKey[];
  /** Told which key signs what is published, so that a rotation can end. May be told again. */
  readonly settleKey: (publicKey: Bytes) => Promise<void>;
}

/** A checkpoint is at most a second old under load, so leaves are looked for more often than that. */
const POLL_MS = 250;
/** Leaves of one checkpoint: about 300 kB. */
const BATCH_MAX = 1_024;

/**
 * Puts staged leaves into the log, one batch after another:
 *
 * 1. bundles and tiles are written, durably;
 * 2. the head of the database moves, by compare-and-swap, with the signed checkpoint in its row;
 * 3. the checkpoint is published.
 *
 * A start after a crash at any point goes on from there: files beyond the head are written again, and a head that was not
 * published is. Nothing is signed that the database's head does not follow, so no two trees of one size are ever signed.
 */
export class Sequencer implements PublicLog {
  readonly #ports: SequencerPorts;
  #state: LogState = { type: "starting" };
  #edge: TreeEdge = EMPTY_EDGE;
  #rotations: readonly Rotation[] = [];
  #published: Published | null = null;
  #isOpen = false;
  /** Whether all files were whole at this start. Nothing is signed before. */
  #isChecked = false;
  #isStopped = false;
  #failures = 0;
  #working: Promise<void> | null = null;
  #again = false;
  #cancelPoll: () => void = () => {};
  readonly #waiting = new Set<Waiting>();

  constructor(ports: SequencerPorts) {
    this.#ports = ports;
  }

  get key() {
    return this.#ports.key;
  }

  head(): TreeHead | null {
    return this.#published?.head ?? null;
  }

  checkpoint(): string | null {
    return this.#published?.note ?? null;
  }

  get witnesses() {
    return this.#ports.witnesses;
  }

  async file(path: string): Promise<Bytes | null> {
    const name = parseTilePath(path);
    const size = this.#published?.head.size ?? 0;
    // What is written beyond the head may still become another one after a crash, and full tiles are kept for ever.
    if (name === undefined || !hasTile(size, name)) return null;
    const { files } = this.#ports;
    const bytes = await files.read(path);
    if (bytes !== null || name.width === TILE_WIDTH) return bytes;
    // The growing one is removed once the full one is written, which may be before the head has it.
    const full = await files.read(tilePath({ ...name, width: TILE_WIDTH }));
    return full === null ? null : cutTile(full, name);
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
    const opened = await openLog(this.#ports);
    if (!opened.ok) return this.#halt(opened.error);
    this.#adopt(opened.value);
    await this.#settleKey();
  }

  /** Begins. All files are checked and the backlog is sequenced in the background. */
  start(): void {
    this.#wake();
  }

  /** Ends after the batch under way, and a check at once. Who waits is told that the log signs no more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelPoll();
    await this.#ports.check.close();
    await this.#working;
    this.#answer();
  }

  async find(kind: string, subject: string): Promise<number | null> {
    const newest = (await this.#ports.store.findLeaves(kind, subject)).at(-1);
    return newest === undefined ? null : newest.sequence - 1;
  }

  covers(index: number, signal?: AbortSignal): Promise<boolean> {
    if (index < (this.#published?.head.size ?? 0)) return Promise.resolve(true);
    if (this.#isStopped || this.#state.type === "halted") return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiting = { index, resolve };
      this.#waiting.add(waiting);
      signal?.addEventListener("abort", () => {
        this.#waiting.delete(waiting);
        resolve(false);
      });
      // A disk that is full is not asked more often because many wait for it.
      if (this.#failures === 0) this.#wake();
    });
  }

  async proof({ from, leaves }: Parameters<PublicLog["proof"]>[0]): Promise<Result<LogProof, LogTrouble>> {
    const published = this.#published;
    if (published === null || leaves.some((index) => index >= published.head.size))
      return err({ type: "not-covered" });
    const tree = await published.tree();
    if (!tree.ok) return tree;
    const isReached = from !== null && from <= published.head.size;
    const consistency = isReached ? await tree.value.consistency(from) : ok<readonly Bytes[]>([]);
    if (!consistency.ok) return err({ type: "damaged", path: consistency.error.path });
    const proved = await proveLeaves(tree.value, leaves);
    const rotations = await proveLeaves(tree.value, this.rotations());
    if (!proved.ok) return proved;
    if (!rotations.ok) return rotations;
    return ok({
      checkpoint: published.note,
      consistency: consistency.value,
      leaves: proved.value,
      rotations: rotations.value,
    });
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
      const opened = await openLog(this.#ports);
      if (!opened.ok) return opened.error;
      this.#adopt(opened.value);
      await this.#settleKey();
    }
    if (!this.#isChecked) {
      const { check } = this.#ports;
      const fault = this.#published === null ? null : await check.run(this.#published.head);
      if (fault !== null) return damaged(fault).error;
      this.#isChecked = true;
      await check.close();
    }
    if (this.#state.type !== "signing")
      this.#state = { type: "signing", size: this.#edge.size, publishedAtMs: null };
    while (!this.#isStopped) {
      const leaves = await this.#ports.store.leavesAfter(this.#edge.size, BATCH_MAX);
      if (leaves.length === 0) return null;
      const refusal = await this.#sequence(leaves);
      if (refusal !== null) return refusal;
    }
    return null;
  }

  #adopt({ edge, published, rotations }: OpenedLog): void {
    this.#edge = edge;
    this.#rotations = rotations;
    this.#isOpen = true;
    if (published !== null) this.#show(published.head, published.note);
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
    const note = formatNote({ text, signatures });
    if (!(await moveHead(this.#ports, this.#published?.head.size ?? null, head, note)))
      return OVERTAKEN.error;
    await files.publish(note);
    const isRotated = rotations.length > this.#rotations.length;
    this.#edge = edge;
    this.#rotations = rotations;
    this.#show(head, note);
    if (isRotated) await this.#settleKey();
    this.#state = { type: "signing", size: head.size, publishedAtMs: this.#ports.clock.nowMs() };
    return null;
  }

  /** Ends a rotation whose checkpoint is published. */
  async #settleKey(): Promise<void> {
    const { primitives, key, settleKey } = this.#ports;
    const size = this.#published?.head.size;
    if (size === undefined) return;
    const current = await keyAt(primitives, key, this.#rotations, size);
    if (current !== null) await settleKey(current);
  }

  #show(head: TreeHead, note: string): void {
    const { primitives, files } = this.#ports;
    let opening: Promise<Result<TiledTree, LogTrouble>> | null = null;
    const open = async (): Promise<Result<TiledTree, LogTrouble>> => {
      const tree = await openTiledTree(primitives, head, (path) => files.read(path));
      return tree.ok ? tree : err({ type: "damaged", path: tree.error.path });
    };
    this.#published = {
      head,
      note,
      tree: () => {
        opening ??= open();
        return opening;
      },
    };
    this.#answer();
  }

  #answer(): void {
    const size = this.#published?.head.size ?? 0;
    const isOver = this.#isStopped || this.#state.type === "halted";
    for (const waiting of this.#waiting) {
      if (waiting.index >= size && !isOver) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(waiting.index < size);
    }
  }
}

interface Waiting {
  readonly index: number;
  readonly resolve: (isCovered: boolean) => void;
}

interface Published {
  readonly head: TreeHead;
  readonly note: string;
  /** Opened when it is first needed. */
  tree(): Promise<Result<TiledTree, LogTrouble>>;
}

async function proveLeaves(
  tree: TiledTree,
  indexes: readonly number[],
): Promise<Result<readonly ProvedLeaf[], LogTrouble>> {
  const proved: ProvedLeaf[] = [];
  for (const index of indexes) {
    const [path, leaves] = [await tree.inclusion(index), await tree.leaves(index, index + 1)];
    if (!path.ok) return err({ type: "damaged", path: path.error.path });
    if (!leaves.ok) return err({ type: "damaged", path: leaves.error.path });
    const leaf = present(leaves.value[0], "a leaf that the tree has");
    proved.push({ index, leaf, path: path.value });
  }
  return ok(proved);
}
