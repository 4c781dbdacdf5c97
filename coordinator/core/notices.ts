import type { RunNotice } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { noticeOf } from "./outage.ts";

/** So many devices that refuse for the same reason are no accident. */
const REFUSALS_MIN = 3;
/** Devices that are remembered for each run. */
const REFUSALS_MAX = 1_000;
/** What devices say if they have been past what they are asked for: this coordinator went back in time, not they. */
const FROM_THE_PAST: ReadonlySet<ErrorCode> = new Set(["REPLAY", "ALREADY_REVEALED"]);

interface Notes {
  outage: RunNotice | null;
  /** Identities of devices that refused since the newest committed round. */
  readonly refused: Set<string>;
  code: ErrorCode;
}

/** Why an open run does not get on, in a sentence for its operator. In memory: a new process finds out anew. */
export class Notices {
  readonly #byRun = new Map<string, Notes>();

  of(runId: string): RunNotice | null {
    const notes = this.#byRun.get(runId);
    if (notes === undefined) return null;
    return notes.outage ?? refusalNotice(notes);
  }

  /** A store, a disk or a file of the run is out of reach. @returns whether something else is shown from now on. */
  outage(runId: string, error: unknown): boolean {
    return this.#change(runId, (notes) => {
      notes.outage = noticeOf(error);
    });
  }

  /** Something of the run was written: whatever was away is back. */
  progress(runId: string): boolean {
    return this.#byRun.has(runId) && this.#change(runId, (notes) => (notes.outage = null));
  }

  /** A round was committed: enough devices take part. */
  committed(runId: string): boolean {
    return this.#byRun.has(runId) && this.#change(runId, (notes) => notes.refused.clear());
  }

  /** A device left a round of the run for this reason, as it says. */
  refused(runId: string, identity: string, code: ErrorCode): boolean {
    if (!FROM_THE_PAST.has(code)) return false;
    return this.#change(runId, (notes) => {
      notes.code = code;
      if (notes.refused.size < REFUSALS_MAX) notes.refused.add(identity);
    });
  }

  ended(runId: string): void {
    this.#byRun.delete(runId);
  }

  #change(runId: string, change: (notes: Notes) => void): boolean {
    const before = this.of(runId)?.message;
    const notes = this.#byRun.get(runId) ?? { outage: null, refused: new Set(), code: "REPLAY" };
    this.#byRun.set(runId, notes);
    change(notes);
    return this.of(runId)?.message !== before;
  }
}

function refusalNotice({ refused, code }: Notes): RunNotice | null {
  if (refused.size < REFUSALS_MIN) return null;
  const message = `${refused.size} devices have refused rounds of this run, since they remember to have been past them (${code}). This happens if the coordinator's data folder or database was restored from an older copy. They are right to refuse; the run goes on once its rounds are newer than what they remember, or stop it and launch another.`;
  return { code, message };
}
