import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives, RandomBytes } from "#shared/kernel/ports.ts";
import type { Result } from "#shared/kernel/result.ts";
import {
  formatAddCheckpoint,
  parseSignatureLines,
  parseToldSize,
  SIZE_MEDIA_TYPE,
} from "#shared/tlog/add-checkpoint.ts";
import { type NoteSignature, type VerifierKey, verifyNote } from "#shared/tlog/note.ts";
import { backoffMs } from "../ports/backoff.ts";
import type { Log } from "../ports/ports.ts";
import type { WitnessPort, WitnessReply, WitnessState, WitnessTrouble } from "../ports/witnesses.ts";

export interface CosignerPorts {
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly log: Log;
}

/** A checkpoint to be signed. */
export interface Cosignable {
  readonly size: number;
  /** Of the note. */
  readonly text: string;
  /** The note with the log's own signature alone. */
  readonly ownNote: string;
  /** The consistency proof from a tree of `earlier` leaves, at most `size`. May reject: the disk does not answer. */
  consistency(earlier: number): Promise<Result<readonly Bytes[], unknown>>;
  /** Called with a signature that holds. */
  add(witness: VerifierKey, signature: NoteSignature): void;
}

/** Sizes that a witness may tell for one checkpoint: an honest one tells one, and another if it was asked meanwhile. */
const TOLD_MAX = 3;

/** `unread`: the log's own files could not be read, which says nothing of the witness. */
type Outcome = "signed" | "unread" | WitnessTrouble;

/**
 * Asks one witness for its signatures, always under the newest checkpoint: it has all entries of those before. A witness in trouble is asked again with growing pauses. Rule A93.
 */
export class Cosigner {
  readonly #witness: WitnessPort;
  readonly #ports: CosignerPorts;
  /** Size of the tree that it signed last, as it told or as its signature says; 0 until then, and it tells. */
  #knownSize = 0;
  #signed: WitnessState["signed"] = null;
  #trouble: WitnessTrouble | null = null;
  #failures = 0;
  #target: Cosignable | null = null;
  #isAsking = false;
  #cancelRetry: (() => void) | null = null;
  #isStopped = false;

  constructor(witness: WitnessPort, ports: CosignerPorts) {
    this.#witness = witness;
    this.#ports = ports;
  }

  state(): WitnessState {
    return { key: this.#witness.key, signed: this.#signed, trouble: this.#trouble };
  }

  /** A signature of this witness that was found under a published checkpoint. */
  remember(size: number, timeS: number): void {
    this.#knownSize = size;
    this.#signed = { size, timeS };
  }

  /** Has the checkpoint signed, now or after the pause of a witness in trouble. */
  ask(checkpoint: Cosignable): void {
    this.#target = checkpoint;
    if (this.#cancelRetry !== null || this.#isAsking || this.#isStopped) return;
    void this.#askAll();
  }

  stop(): void {
    this.#isStopped = true;
    this.#target = null;
    this.#cancelRetry?.();
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    try {
      await this.#askUntilDone();
    } finally {
      // In the same turn as the last look for a target, so that none is missed.
      this.#isAsking = false;
    }
  }

  async #askUntilDone(): Promise<void> {
    const { random, after } = this.#ports;
    while (this.#target !== null) {
      const target = this.#target;
      this.#target = null;
      const outcome = await this.#askFor(target);
      if (this.#isStopped) return;
      if (outcome !== "unread") this.#say(outcome === "signed" ? null : outcome);
      this.#failures = outcome === "signed" ? 0 : this.#failures + 1;
      if (outcome === "signed") continue;
      this.#target ??= target;
      this.#cancelRetry = after(backoffMs(this.#failures, random), () => {
        this.#cancelRetry = null;
        if (this.#target !== null) this.ask(this.#target);
      });
      return;
    }
  }

  #say(trouble: WitnessTrouble | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    const { log } = this.#ports;
    const { name } = this.#witness.key;
    if (trouble === null) log.info({ witness: name }, "the witness signs the public log");
    else log.warn({ witness: name, trouble }, "the witness does not sign the public log");
  }

  async #askFor(target: Cosignable): Promise<Outcome> {
    for (let told = 0; told <= TOLD_MAX; told++) {
      if (this.#knownSize > target.size) {
        // What the witness told may have been wrong, so it is asked again from the start next time.
        this.#knownSize = 0;
        return "other-history";
      }
      const oldSize = this.#knownSize;
      const proof = await target.consistency(oldSize).catch(() => null);
      if (proof?.ok !== true) return "unread";
      const body = formatAddCheckpoint({ oldSize, proof: proof.value, note: target.ownNote });
      const reply = await this.#witness.addCheckpoint(body);
      if (reply.type === "answer" && reply.status === 200) return this.#take(target, reply.text);
      const size = toldSize(reply);
      if (size === null) return troubleOf(reply);
      if (size === oldSize) return "other-history";
      this.#knownSize = size;
    }
    return "no-answer";
  }

  async #take(target: Cosignable, text: string): Promise<Outcome> {
    const { key } = this.#witness;
    const lines = parseSignatureLines(text) ?? [];
    const own = lines.filter(({ name, keyId }) => name === key.name && keyId === key.id).slice(0, 1);
    const verified = await verifyNote(this.#ports.primitives, { text: target.text, signatures: own }, [key]);
    const [signature] = own;
    const timeS = verified.ok ? verified.value[0]?.timeS : undefined;
    if (signature === undefined || timeS === undefined || timeS === null) return "no-answer";
    this.remember(target.size, timeS);
    target.add(this.#witness.key, signature);
    return "signed";
  }
}

function toldSize(reply: WitnessReply): number | null {
  if (reply.type !== "answer" || reply.status !== 409 || reply.mediaType !== SIZE_MEDIA_TYPE) return null;
  return parseToldSize(reply.text) ?? null;
}

function troubleOf(reply: WitnessReply): WitnessTrouble {
  if (reply.type === "no-answer") return "no-answer";
  // 422 to a proof of our own tree: the witness has another tree of that size.
  if (reply.status === 422) return "other-history";
  return reply.status === 403 || reply.status === 404 ? "unknown-log" : "no-answer";
}
