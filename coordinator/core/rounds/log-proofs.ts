import { present } from "#shared/kernel/assert.ts";
import type { LogProofMessage } from "#shared/protocol/messages/log-proof.ts";
import type { LeafKind } from "#shared/tlog/leaf-kinds.ts";
import { coversInTime } from "../audit/covers-in-time.ts";
import { seenOf } from "../audit/sequencer.ts";
import { LogBehind } from "../ports/outage.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { PublicLog, WitnessDemand } from "../ports/public-log.ts";
import { answeringWords } from "../tasks/witnessed.ts";

/** A sequencer that publishes nothing for this long is an outage. */
const PATIENCE_MS = 20_000;

interface ProofSource {
  readonly ports: Pick<CoordinatorPorts, "publicLog" | "after">;
  readonly configHash: string;
  readonly roundId: string;
  /** Witnesses that must have signed, as devices count them (A44); null if the task names none. */
  readonly demand: WitnessDemand | null;
}

type Sought = readonly [kind: LeafKind, subject: string];

/**
 * The proofs that a round's messages carry. Each waits until the log has published the leaves, once for all devices, and is
 * made once for all that have seen the same of it. Rules A40, A41.
 */
export class LogProofs {
  readonly #source: ProofSource;
  readonly #indexes = new Map<string, Promise<number>>();
  readonly #proofs = new Map<string, Promise<LogProofMessage>>();

  constructor(source: ProofSource) {
    this.#source = source;
  }

  /**
   * For `invite`. Null without a log.
   *
   * @param from  Size of the log as the device saw it last.
   * @throws LogBehind if the log does not publish in time: an outage, which is waited for.
   */
  invitation(from: number): Promise<LogProofMessage | null> {
    const { configHash, roundId } = this.#source;
    return this.#proof(from, [
      ["task.published", configHash],
      ["round.opened", roundId],
    ]);
  }

  /** For `open`. As `invitation`. */
  opening(from: number, sid: string): Promise<LogProofMessage | null> {
    return this.#proof(from, [["survivors.signed", sid]]);
  }

  async #proof(from: number, sought: readonly Sought[]): Promise<LogProofMessage | null> {
    const { publicLog } = this.#source.ports;
    if (publicLog == null) return null;
    const { demand } = this.#source;
    return once(this.#proofs, JSON.stringify([from, sought]), async () => {
      const leaves = await Promise.all(sought.map((leaf) => this.#published(publicLog, leaf)));
      // The device goes back to no earlier state than it has seen, which may be newer than the one that is signed.
      const seen = seenOf(publicLog.head(), from);
      if (demand !== null) await this.#covered(publicLog, Math.max(seen - 1, ...leaves));
      const made = await publicLog.proof({ from: from === 0 ? null : from, leaves, demand });
      if (!made.ok) throw this.#behind(publicLog);
      const { checkpoint, consistency, leaves: proved, rotations } = made.value;
      const own = ({ index, leaf, path }: (typeof proved)[number]) => ({ index, leaf, path: [...path] });
      return {
        from,
        checkpoint,
        consistency: [...consistency],
        leaves: proved.map(own),
        rotations: rotations.map(own),
      };
    });
  }

  /** The leaf's index, once a checkpoint covers it. */
  #published(publicLog: PublicLog, [kind, subject]: Sought): Promise<number> {
    return once(this.#indexes, `${kind} ${subject}`, async () => {
      const index = present(await publicLog.find(kind, subject), `a leaf ${kind}`);
      await this.#covered(publicLog, index);
      return index;
    });
  }

  async #covered(publicLog: PublicLog, index: number): Promise<void> {
    const { ports, demand } = this.#source;
    if (!(await coversInTime(publicLog, ports.after, index, PATIENCE_MS, demand)))
      throw this.#behind(publicLog);
  }

  #behind(publicLog: PublicLog): LogBehind {
    const { demand } = this.#source;
    return new LogBehind(demand === null ? null : answeringWords(publicLog.witnesses(), demand));
  }
}

/** A failure is not kept. */
function once<Value>(
  made: Map<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  const known = made.get(key) ?? make();
  made.set(key, known);
  known.catch(() => made.delete(key));
  return known;
}
