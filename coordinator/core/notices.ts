import type { RunNotice } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { noticeOf } from "./outage.ts";

/** So many devices that refuse for the same reason are no accident. */
const REFUSALS_MIN = 3;
/** Devices that are remembered for each run. */
const REFUSALS_MAX = 1_000;
/** What devices say if they have been past what they are asked for: this coordinator went back in time, not they. */
const FROM_THE_PAST: ReadonlySet<ErrorCode> = new Set(["REPLAY", "ALREADY_REVEALED"]);

/** What may wait for a store, a disk or a file: the run's log, its next round, a round's sum, a model's figures. */
export type Waiter = "log" | "round" | "sum" | "figures";

interface Notes {
  readonly waits: Map<Waiter, RunNotice>;
  /** By device that refused since the newest committed round: why, and which model it was offered. */
  readonly refusals: Map<string, { readonly code: ErrorCode; readonly modelHash: string }>;
}

/** Why an open run does not get on, in a sentence for its operator. In memory: a new process finds out anew. */
export class Notices {
  readonly #byRun = new Map<string, Notes>();

  of(runId: string): RunNotice | null {
    const notes = this.#byRun.get(runId);
    if (notes === undefined) return null;
    const [wait] = notes.waits.values();
    return wait ?? refusalNotice(notes);
  }

  /** A store, a disk or a file of the run is out of reach. @returns whether something else is shown from now on. */
  waits(runId: string, waiter: Waiter, error: unknown): boolean {
    return this.#change(runId, ({ waits }) => {
      const notice = noticeOf(error);
      if (notice === null) waits.delete(waiter);
      else waits.set(waiter, notice);
    });
  }

  /** These have what they waited for, or need it no longer; what others wait for is still shown. */
  over(runId: string, ...waiters: readonly Waiter[]): boolean {
    if (!this.#byRun.has(runId)) return false;
    return this.#change(runId, ({ waits }) => {
      for (const waiter of waiters) waits.delete(waiter);
    });
  }

  /** A round was committed: enough devices take part. */
  committed(runId: string): boolean {
    return this.#byRun.has(runId) && this.#change(runId, ({ refusals }) => refusals.clear());
  }

  /** A device left a round of the run for this reason, as it says. */
  refused(runId: string, modelHash: string, identity: string, code: ErrorCode): boolean {
    if (!FROM_THE_PAST.has(code)) return false;
    return this.#change(runId, ({ refusals }) => {
      const known = refusals.delete(identity);
      if (known || refusals.size < REFUSALS_MAX) refusals.set(identity, { code, modelHash });
    });
  }

  /** Why devices refuse, if so many do that it is no accident; the newest reason. */
  refusalCode(runId: string): ErrorCode | null {
    const notes = this.#byRun.get(runId);
    return notes === undefined ? null : (refusalNotice(notes)?.code ?? null);
  }

  /** Whether so many devices say that they opened a sum for this model that it is no accident. */
  isOpened(runId: string, modelHash: string): boolean {
    const refusals = [...(this.#byRun.get(runId)?.refusals.values() ?? [])];
    const said = refusals.filter((one) => one.code === "ALREADY_REVEALED" && one.modelHash === modelHash);
    return said.length >= REFUSALS_MIN;
  }

  ended(runId: string): void {
    this.#byRun.delete(runId);
  }

  #change(runId: string, change: (notes: Notes) => void): boolean {
    const before = this.of(runId)?.message;
    const notes = this.#byRun.get(runId) ?? { waits: new Map(), refusals: new Map() };
    this.#byRun.set(runId, notes);
    change(notes);
    return this.of(runId)?.message !== before;
  }
}

function refusalNotice({ refusals }: Notes): RunNotice | null {
  const newest = [...refusals.values()].at(-1);
  if (newest === undefined || refusals.size < REFUSALS_MIN) return null;
  const { code } = newest;
  const message = `${refusals.size} devices have refused rounds of this run, since they remember to have been past them (${code}). This happens if the coordinator's data folder or database was restored from an older copy. They are right to refuse. The run goes on once its rounds are newer than what they remember. If eight rounds are not enough for that, it ends: then launch another.`;
  return { code, message };
}
