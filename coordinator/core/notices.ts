import { present } from "#shared/kernel/assert.ts";
import type { RunNotice } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RoundOpened } from "#shared/round/event.ts";
import { noticeOf } from "./outage.ts";

/** So many devices that refuse for the same reason are no accident. */
const REFUSALS_MIN = 3;
/** A run that fails more rounds than this in a row ends. */
const ROUNDS_MAX = 8;
/** What devices say if they have been past what they are asked for: this coordinator went back in time, not they. */
const FROM_THE_PAST: ReadonlySet<ErrorCode> = new Set(["REPLAY", "ALREADY_REVEALED"]);

/** What may wait for a store, a disk or a file: the run's log, its next round, a round's sum, a model's figures. */
export type Waiter = "log" | "round" | "sum" | "figures";

interface Notes {
  readonly waits: Map<Waiter, RunNotice>;
  /** By number; of rounds since the newest committed one, those that devices refused. */
  readonly refused: Map<number, RefusedRound>;
}

/** A round of which invited devices say that they remember to have been past it. */
interface RefusedRound {
  readonly modelHash: string;
  readonly invitedCount: number;
  readonly codeByIdentity: Map<string, ErrorCode>;
}

/** Why an open run does not get on, in a sentence for its operator. In memory: a new process finds out anew. */
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
    return this.#byRun.has(runId) && this.#change(runId, ({ refused }) => refused.clear());
  }

  /** A device that this round invited left it for this reason, as it says. */
  refused(
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

  /** Why devices refuse this round, if so many do that it is no accident; the newest reason. */
  refusalCode(runId: string, round: number): ErrorCode | null {
    const refused = this.#byRun.get(runId)?.refused.get(round);
    if (refused === undefined) return null;
    const { codeByIdentity, invitedCount } = refused;
    return areMany(codeByIdentity.size, invitedCount) ? newestCode(refused) : null;
  }

  /** Whether so many devices of one round say that they opened a sum for this model that it is no accident. */
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

/** Keys cost nothing: with a fixed number alone, a few made-up devices could speak for a large round (SECURITY.md). */
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
  const message = `${refused.codeByIdentity.size} of the ${refused.invitedCount} devices that round ${round} invited say that they remember to have been past it (${code}). If that is true, the coordinator's data folder or database was restored from an older copy, and they are right to refuse. The run goes on once its rounds are newer than what they remember. If eight rounds are not enough for that, it ends: then launch another.`;
  return { code, message };
}
