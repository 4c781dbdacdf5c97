import type { BackendLoss, BackendName, BackendTiming } from "#shared/task/engine.ts";

/** What calibration found out about a backend. */
export interface Calibration extends Omit<BackendTiming, "untimed"> {
  /**
   * Not timed, though it may work and a person may choose it: it started too late, its GPU is emulated by the
   * processor, or it has stopped since this page or process began.
   */
  readonly untimed?: "late" | "software" | "lost";
}

/**
 * Why an engine ended. The platform took its GPU away; or ended: its worker is gone; silent: no number came in time;
 * fault: it threw.
 */
export type LossCause = BackendLoss["cause"] | "ended" | "silent" | "fault";

export interface EngineLoss {
  readonly backend: BackendName;
  readonly cause: LossCause;
  /** The platform's message; may be empty. */
  readonly note: string;
  /** Unix milliseconds. */
  readonly at: number;
}
