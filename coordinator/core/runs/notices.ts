import { present } from "#shared/kernel/assert.ts";
import type { RunNotice } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RoundOpened } from "#shared/round/event.ts";
import { noticeOf } from "../ports/outage.ts";

/** Refusals for the same reason that are too many to be chance. */
const REFUSALS_MIN = 3;
/** A run that fails more consecutive rounds than this ends. */
const ROUNDS_MAX = 8;
/** Codes of devices that have been past the requested point: the coordinator was set back, not the device. */
const FROM_THE_PAST: ReadonlySet<ErrorCode> = new Set(["REPLAY", "ALREADY_REVEALED"]);

/**
 * What may wait for a store, a disk or a file: the run's log, its next round, a round's sum, a model's
 * figures.
 */
export type Waiter = "log" | "round" | "sum" | "figures";

interface Notes {
  readonly waits: Map<Waiter, RunNotice>;
  /** Rounds that devices refused since the newest committed one, by number. */
  readonly refused: Map<number, RefusedRound>;
}

/** A round that invited devices say they have been past. */
interface RefusedRound {
  readonly modelHash: string;
  readonly invitedCount: number;
  readonly codeByIdentity: Map<string, ErrorCode>;
}

/**
 * Why an open run is stuck, as a sentence for its operator. Only in memory: a new process finds out again.
 */
export class Notices {
  readonly #byRun = new Map<string, Notes>();

  of(runId: string): RunNotice | null {
    const notes = this.#byRun.get(runId);
    if (notes === undefined) return null;
    const [wait] = notes.waits.values();
    if (wait !== undefined) return wait;
    const newest = [...notes.refused].filter(([, { invitedCount, codeByIdentity }]) =>
      areMany(codeByIdentity.size, invitedCount),
    );
    const [round, refused] = newest.at(-1) ?? [];
    return round === undefined || refused === undefined ? null : refusalNotice(round, refused);
  }

  /** Notes that a store, disk or file of the run is unavailable. @returns Whether the notice changes. */
  waits(runId: string, waiter: Waiter, error: unknown): boolean {
    return this.#change(runId, ({ waits }) => {
      const notice = noticeOf(error);
      if (notice === null) waits.delete(waiter);
      else waits.set(waiter, notice);
    });
  }

  /**
   * Notes that these waiters have what they waited for or no longer need it. Others stay. @returns Whether
   * the notice changes.
   */
  over(runId: string, ...waiters: readonly Waiter[]): boolean {
    if (!this.#byRun.has(runId)) return false;
    return this.#change(runId, ({ waits }) => {
      for (const waiter of waiters) waits.delete(waiter);
    });
  }

  /**
   * Notes a committed round, which shows that enough devices take part. @returns Whether the notice changes.
   */
  committed(runId: string): boolean {
    return this.#byRun.has(runId) && this.#change(runId, ({ refused }) => refused.clear());
  }

  /** Notes why a device says it left a round that had invited it. @returns Whether the notice changes. */
  deviceRefused(
    { runId, round, parentModelHash }: Pick<RoundOpened, "runId" | "round" | "parentModelHash">,
    invitedCount: () => number,
    identity: string,
    code: ErrorCode,
  ): boolean {
    if (!FROM_THE_PAST.has(code)) return false;
    return this.#change(runId, ({ refused }) => {
      const known = refused.get(round);
      const { codeByIdentity } =
        known ?? newRound(refused, round, { modelHash: parentModelHash, invitedCount: invitedCount() });
      codeByIdentity.set(identity, code);
    });
  }

  /** The newest reason why devices refuse this round, if they are too many to be chance. */
  refusalCode(runId: string, round: number): ErrorCode | null {
    const refused = this.#byRun.get(runId)?.refused.get(round);
    if (refused === undefined) return null;
    const { codeByIdentity, invitedCount } = refused;
    return areMany(codeByIdentity.size, invitedCount) ? newestCode(refused) : null;
  }

  /** Whether too many devices of one round to be chance say that they opened a sum for this model. */
  isOpened(runId: string, modelHash: string): boolean {
    const rounds = [...(this.#byRun.get(runId)?.refused.values() ?? [])];
    return rounds.some((round) => {
      const codes = [...round.codeByIdentity.values()].filter((code) => code === "ALREADY_REVEALED");
      return round.modelHash === modelHash && areMany(codes.length, round.invitedCount);
    });
  }

  ended(runId: string): void {
    this.#byRun.delete(runId);
  }

  #change(runId: string, change: (notes: Notes) => void): boolean {
    const before = this.of(runId)?.message;
    const notes = this.#byRun.get(runId) ?? { waits: new Map(), refused: new Map() };
    this.#byRun.set(runId, notes);
    change(notes);
    return this.of(runId)?.message !== before;
  }
}

/**
 * Relative to the round: keys cost nothing, so with a fixed number a few made-up devices could speak for a
 * large round (SECURITY.md).
 */
function areMany(count: number, invitedCount: number): boolean {
  return count >= REFUSALS_MIN && 2 * count >= invitedCount;
}

function newRound(
  refused: Map<number, RefusedRound>,
  round: number,
  facts: Pick<RefusedRound, "modelHash" | "invitedCount">,
): RefusedRound {
  const [oldest] = refused.keys();
  if (oldest !== undefined && refused.size >= ROUNDS_MAX) refused.delete(oldest);
  const made = { ...facts, codeByIdentity: new Map() };
  refused.set(round, made);
  return made;
}

function newestCode({ codeByIdentity }: RefusedRound): ErrorCode {
  return present([...codeByIdentity.values()].at(-1), "a refusal");
}

function refusalNotice(round: number, refused: RefusedRound): RunNotice {
  const code = newestCode(refused);
  const message = `${refused.codeByIdentity.size} of the ${refused.invitedCount} devices invited to round ${round} say that they have been past it before (${code}). If that is true, the coordinator's data folder or database was restored from an older copy, and they are right to refuse. The run goes on once its rounds are newer than what they remember. If that takes more than eight rounds, it ends; launch another then.`;
  return { code, message };
}
