import type { MonotonicClock, WallClock } from "#shared/kernel/ports.ts";
import type { CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import type { ClientState } from "#shared/secagg/client-state.ts";
import type { TrainProgress } from "#shared/task/engine.ts";
import type { OwnRound, RoundStep } from "../view.ts";

/** The view of one part in a round, updated as it goes on. */
export class RoundProgress {
  #view: OwnRound;
  #frozen = false;
  readonly #clocks: { readonly clock: MonotonicClock; readonly wall: WallClock };
  readonly #onView: (view: OwnRound) => void;

  constructor(
    { runId, round, attempt }: CoordinatorMessageOf<"invite">,
    clocks: { readonly clock: MonotonicClock; readonly wall: WallClock },
    onView: (view: OwnRound) => void,
  ) {
    this.#clocks = clocks;
    this.#onView = onView;
    this.#view = {
      runId,
      round,
      attempt,
      step: "downloading",
      stepsAt: {},
      deadlineAt: null,
      training: null,
      download: null,
      ...NOT_YET,
      outcome: null,
    };
  }

  get view(): OwnRound {
    return this.#view;
  }

  enter(step: RoundStep): void {
    this.show({ step, stepsAt: { ...this.#view.stepsAt, [step]: this.#clocks.wall.nowUnixMs() } });
  }

  show(patch: Partial<OwnRound>): void {
    if (this.#frozen) return;
    this.#view = { ...this.#view, ...patch };
    this.#onView(this.#view);
  }

  /** Shows the same round under fresh keys. */
  nextAttempt(attempt: number): void {
    this.show({ ...NOT_YET, attempt });
  }

  /** Shows the outcome and ignores all later changes. */
  close(outcome: OwnRound["outcome"]): void {
    this.enter("ended");
    this.show({ deadlineAt: null, outcome });
    this.#frozen = true;
  }

  showState(state: ClientState): void {
    if (!("roster" in state)) return;
    const { rosterSize, q, t } = state.roster.thresholds;
    this.show({
      rosterSize,
      inputsNeeded: q,
      threshold: t,
      ...(state.phase === "masked" ? { sharedCount: state.u2.positions.length } : {}),
      ...("sets" in state ? { survivorCount: state.sets.u3.positions.length } : {}),
    });
  }

  trainingReporter(epochCount: number): (progress: TrainProgress) => void {
    const beganMs = this.#clocks.clock.nowMs();
    const epochLosses: number[] = [];
    return ({ epoch, step, stepCount, loss }) => {
      epochLosses.length = epoch - 1;
      const finished = step === Math.round((stepCount / epochCount) * epoch);
      if (finished) epochLosses.push(loss);
      const elapsedS = (this.#clocks.clock.nowMs() - beganMs) / 1_000;
      this.show({
        training: {
          epoch,
          epochCount,
          step,
          stepCount,
          epochLosses: [...epochLosses],
          lossSoFar: finished ? null : loss,
          secondsLeft: step === 0 ? null : (elapsedS / step) * (stepCount - step),
        },
      });
    };
  }
}

const NOT_YET = {
  upload: null,
  rosterSize: null,
  sharedCount: null,
  survivorCount: null,
  inputsNeeded: null,
  threshold: null,
} as const satisfies Partial<OwnRound>;
