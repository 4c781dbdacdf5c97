import { verifyConsistency } from "#shared/crypto/merkle.ts";
import { present } from "#shared/kernel/assert.ts";
import { equalBytes } from "#shared/kernel/bytes.ts";
import type { Primitives, Signer, WallClock } from "#shared/kernel/ports.ts";
import { type AddCheckpoint, parseAddCheckpoint } from "#shared/tlog/add-checkpoint.ts";
import { type Checkpoint, readCheckpoint } from "#shared/tlog/checkpoint.ts";
import {
  cosignNote,
  formatSignatureLine,
  parseNote,
  type SignedNote,
  type VerifierKey,
  verifyNote,
} from "#shared/tlog/note.ts";

/** What a witness has signed last, by log. */
export interface WitnessMemory {
  /** The signed note; null if nothing of this log was signed. */
  latest(origin: string): Promise<string | null>;
  /** Resolves once it is durable. After a failure either note may be there. */
  keep(origin: string, note: string): Promise<void>;
  /** Keeps two checkpoints of one size over different roots: proof that the log shows two histories. */
  keepSplit(origin: string, notes: readonly [string, string]): Promise<void>;
}

export interface WitnessPorts {
  readonly primitives: Primitives;
  readonly memory: WitnessMemory;
  readonly wall: WallClock;
  readonly signer: Signer;
  /** Of the witness. */
  readonly name: string;
  /** Keys of the logs that it follows, each by its origin. A log has two while it changes its key. */
  readonly logs: readonly VerifierKey[];
}

export type WitnessAnswer =
  /** @param lines  Signature lines, for the end of the note. */
  | { readonly type: "cosigned"; readonly lines: string }
  | { readonly type: "bad-request"; readonly sentence: string }
  | { readonly type: "not-signed" }
  | { readonly type: "unknown-log" }
  /** @param size  Of the tree that was signed last. */
  | { readonly type: "conflict"; readonly size: number }
  | { readonly type: "bad-proof" }
  /** More requests about this log are under way than a log makes. */
  | { readonly type: "busy" };

/** Requests about one log that wait for each other. An honest log sends one at a time. */
const WAITING_MAX = 32;

/**
 * A witness of logs: signs a checkpoint only if it continues the one that it signed last. What it signs is durable before the
 * signature leaves, and requests about one log are judged one at a time, so that it never signs two trees of one size,
 * whatever comes at once and wherever the process ends. Rules A90, A91.
 *
 * Source: c2sp.org/tlog-witness.
 * Does not protect: the first checkpoint of a log is signed on trust. A witness whose memory is put back to an earlier state signs a second history from there on.
 */
export class Witness {
  readonly #ports: WitnessPorts;
  /** Origins whose newest checkpoint may not be durable, because keeping it failed. */
  readonly #unsure = new Set<string>();
  /** By origin. */
  readonly #queues = new Map<string, { waiting: number; last: Promise<unknown> }>();

  constructor(ports: WitnessPorts) {
    this.#ports = ports;
  }

  /** @param body  Of `POST add-checkpoint`. @throws the error of the memory: nothing was signed then. */
  async addCheckpoint(body: string): Promise<WitnessAnswer> {
    const { primitives, logs } = this.#ports;
    const request = parseAddCheckpoint(body);
    if (!request.ok) return request.error;
    const note = parseNote(request.value.note);
    if (!note.ok) return { type: "bad-request", sentence: note.error.sentence };
    const checkpoint = readCheckpoint(note.value.text);
    if (!checkpoint.ok) return { type: "bad-request", sentence: checkpoint.error.sentence };
    const keys = logs.filter(({ name }) => name === checkpoint.value.origin);
    if (keys.length === 0) return { type: "unknown-log" };
    const verified = await verifyNote(primitives, note.value, keys);
    if (!verified.ok || verified.value.length === 0) return { type: "not-signed" };
    if (request.value.oldSize > checkpoint.value.size)
      return { type: "bad-request", sentence: "The old size is above that of the checkpoint." };
    return this.#inTurn(checkpoint.value.origin, () =>
      this.#judge(request.value, note.value, checkpoint.value),
    );
  }

  async #inTurn(origin: string, judge: () => Promise<WitnessAnswer>): Promise<WitnessAnswer> {
    const queue = this.#queues.get(origin) ?? { waiting: 0, last: Promise.resolve() };
    this.#queues.set(origin, queue);
    if (queue.waiting >= WAITING_MAX) return { type: "busy" };
    queue.waiting += 1;
    const answer = queue.last.then(judge).finally(() => {
      queue.waiting -= 1;
    });
    queue.last = answer.catch(() => undefined);
    return answer;
  }

  async #judge(request: AddCheckpoint, note: SignedNote, checkpoint: Checkpoint): Promise<WitnessAnswer> {
    const { primitives, memory, signer, name, wall } = this.#ports;
    const { origin, size, root } = checkpoint;
    const kept = await memory.latest(origin);
    const latest = readLatest(kept);
    const latestSize = latest?.size ?? 0;
    const earlierRoot = latest?.root ?? (await primitives.sha256(new Uint8Array(0)));
    const isOther = size === latestSize && !equalBytes(root, earlierRoot);
    if (isOther && kept !== null) await memory.keepSplit(origin, [kept, request.note]);
    if (request.oldSize !== latestSize) return { type: "conflict", size: latestSize };
    if (isOther) return latest === null ? { type: "bad-proof" } : { type: "conflict", size };
    const claim = { earlierSize: latestSize, earlierRoot, size, root, path: request.proof };
    if (!(await verifyConsistency(primitives, claim))) return { type: "bad-proof" };
    if (latest === null || size > latestSize || this.#unsure.has(origin)) {
      this.#unsure.add(origin);
      await memory.keep(origin, request.note);
      this.#unsure.delete(origin);
    }
    const timeS = Math.floor(wall.nowUnixMs() / 1_000);
    return {
      type: "cosigned",
      lines: formatSignatureLine(await cosignNote(primitives, signer, name, note.text, timeS)),
    };
  }
}

/** @throws if what is remembered is none of a checkpoint: the witness must not begin anew. */
function readLatest(note: string | null): Checkpoint | null {
  if (note === null) return null;
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? readCheckpoint(parsed.value.text) : null;
  return present(checkpoint?.ok === true ? checkpoint.value : undefined, "a checkpoint that was signed");
}
