import type { RoundState } from "#shared/round/state.ts";
import { backoffMs } from "./backoff.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { forgetSession } from "./transcript.ts";

type ForgettingPorts = Pick<
  CoordinatorPorts,
  "store" | "spool" | "keeping" | "primitives" | "random" | "log" | "after"
>;

/**
 * Deletes what is left of sessions that are over: shares, openings, inputs. A deletion that fails is tried again with
 * growing pauses, whatever the fault: a file that another program holds open is as good a reason as a full disk. After a
 * restart `sweep` finds what was not deleted before. Rule S11.
 */
export class Forgetting {
  readonly #ports: ForgettingPorts;
  /** By session: cancels its next try. */
  readonly #waiting = new Map<string, () => void>();
  #closed = false;

  constructor(ports: ForgettingPorts) {
    this.#ports = ports;
  }

  /** Never rejects. @param phase  In which the session's round ended. */
  async forget(sid: string, phase: RoundState["phase"]): Promise<void> {
    if (!this.#waiting.has(sid)) await this.#forget(sid, phase, 1);
  }

  /**
   * Forgets every session of which something is left and whose round is over.
   *
   * @param living  Sessions of rounds that go on; null if nobody knows now. Asked after what is left was listed, so that
   *                a session that begins meanwhile is not touched.
   * @returns False if nobody knew.
   */
  async sweep(living: () => Promise<ReadonlySet<string> | null>): Promise<boolean> {
    const { store, spool } = this.#ports;
    const roundOf = new Map((await store.listTranscripts()).map(({ sid, roundId }) => [sid, roundId]));
    const unkept = (await spool.sessions()).filter((sid) => !roundOf.has(sid));
    const left = new Set([...(await store.unforgotten()), ...unkept]);
    const spared = await living();
    if (spared === null) return false;
    for (const sid of left) {
      if (spared.has(sid)) continue;
      const roundId = roundOf.get(sid);
      const round = roundId === undefined ? null : await store.findRound(roundId);
      await this.forget(sid, round?.phase === "committed" ? "committed" : "failed");
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  async #forget(sid: string, phase: RoundState["phase"], tries: number): Promise<void> {
    const { log, after, random } = this.#ports;
    try {
      await forgetSession(this.#ports, sid, phase);
      this.#waiting.delete(sid);
    } catch (error) {
      if (this.#closed) return;
      log.error({ sid, tries, error: String(error) }, "a session could not be forgotten yet");
      const again = () => void this.#forget(sid, phase, tries + 1);
      this.#waiting.set(sid, after(backoffMs(tries, random), again));
    }
  }
}
