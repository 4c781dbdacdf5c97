import type { BackendName } from "#shared/task/engine.ts";
import type { Task } from "#shared/task/task.ts";
import { createTrainer, type TrainerPorts } from "../engine/trainer.ts";
import type { Calibration } from "../training-facts.ts";
import { startTrial, type Trial, type TrialOptions, type TrialPorts } from "./trial.ts";

/** What this device can say of a task that is being made: how fast it trains, and how well. Nothing is sent. */
export interface Workbench {
  /**
   * Times training steps of the task's model. The first call times every engine that this device has; later ones only the
   * fastest of those, as long as it can train the model.
   */
  measure(task: Task): Promise<ModelTiming>;
  /** Starts a trial. Stop the one before. */
  trial(options: TrialOptions): Trial;
  /** Ends the engine. */
  close(): Promise<void>;
}

export interface ModelTiming {
  /** The fastest engine; null if none can train the model. */
  readonly backend: BackendName | null;
  /** Milliseconds of one step with a full batch; null if no engine can train the model. */
  readonly msPerStep: number | null;
  /** Every engine, with the reason of those that cannot. */
  readonly table: readonly Calibration[];
}

export function createWorkbench(
  ports: TrainerPorts & Omit<TrialPorts, "trainer">,
  candidates: readonly BackendName[],
): Workbench {
  const trainer = createTrainer(ports, candidates);
  let fastest: BackendName | undefined;
  return {
    async measure(task) {
      await trainer.calibrate(task, fastest);
      const { backend, table } = trainer.engines.get();
      fastest = backend ?? undefined;
      return { backend, msPerStep: table.find((row) => row.backend === backend)?.msPerStep ?? null, table };
    },
    trial: (options) =>
      startTrial({ ...ports, trainer }, { ...(fastest && { backend: fastest }), ...options }),
    close: () => trainer.dispose(),
  };
}
