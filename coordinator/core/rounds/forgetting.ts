import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { RoundState } from "#shared/round/state.ts";
import { backoffMs } from "../ports/backoff.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { forgetSession, sweepTranscripts } from "./transcript.ts";

type ForgettingPorts = Pick<
  CoordinatorPorts,
  "store" | "spool" | "keeping" | "primitives" | "random" | "log" | "after" | "wall" | "projectId"
>;

/**
 * Deletes what is left of finished sessions: shares, openings, inputs. A failed deletion is retried with
 * growing pauses whatever the fault, since a file held open by another program is as good a reason as a full
 * disk. After a restart `sweep` finds what was not deleted. Rule S11.
 */
export class Forgetting {
  readonly #ports: ForgettingPorts;
  /** By session: cancels its next try. */
  readonly #waiting = new Map<string, () => void>();
  readonly #keptSweeps = new SerialQueue();
  #cancelKeptSweep = () => {};
  #closed = false;

  constructor(ports: ForgettingPorts) {
    this.#ports = ports;
  }

  /** Never rejects. @param phase  Phase in which the session's round ended. */
  async forget(sid: string, phase: RoundState["phase"]): Promise<void> {
    if (!this.#waiting.has(sid)) await this.#forget(sid, phase, 1);
  }

  /**
   * Forgets every session that has something left and whose round is over.
   *
   * @param living  Sessions of live rounds; null if unknown for now. Asked after listing what is left, so
   *                that a session that begins meanwhile is not touched, and before the phases are read, so that
   *                one that is committed meanwhile keeps its transcript.
   * @returns False if they were unknown.
   */
  async sweep(living: () => Promise<ReadonlySet<string> | null>): Promise<boolean> {
    const { store, spool } = this.#ports;
    const unforgotten = new Set(await store.unforgotten());
    const left = new Set([...unforgotten, ...(await spool.sessions())]);
    const spared = await living();
    if (spared === null) return false;
    const keptPhases = new Map((await store.listTranscripts()).map(({ sid, phase }) => [sid, phase]));
    for (const sid of left) {
      const isKept = keptPhases.has(sid) && !unforgotten.has(sid);
      if (isKept || spared.has(sid)) continue;
      await this.forget(sid, keptPhases.get(sid) === "committed" ? "committed" : "failed");
    }
    return true;
  }

  /**
   * Deletes what is no longer kept for the auditor, in the background: no round waits for it. It is retried
   * with growing pauses. Rule A5.
   */
  sweepKept(tries = 1): void {
    // The start has deleted what an earlier process kept.
    if (this.#ports.keeping === null) return;
    // This one replaces a try that waits.
    this.#cancelKeptSweep();
    void this.#keptSweeps.run(() => (this.#closed ? undefined : this.#sweepKept(tries)));
  }

  async #sweepKept(tries: number): Promise<void> {
    const { log, after, random } = this.#ports;
    try {
      await sweepTranscripts(this.#ports);
    } catch (error) {
      if (this.#closed) return;
      log.error({ tries, error: String(error) }, "what is no longer kept could not be deleted yet");
      this.#cancelKeptSweep = after(backoffMs(tries, random), () => this.sweepKept(tries + 1));
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelKeptSweep();
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
