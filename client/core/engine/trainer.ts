import type { WallClock } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { BackendName, TrainProgress } from "#shared/task/engine.ts";
import type { Task } from "#shared/task/task.ts";
import type { TrainError, Trained, Trainer, TrainJob } from "../ports.ts";
import { createSlices } from "../slices.ts";
import type { Calibration, EngineLoss } from "../training-facts.ts";
import type { EngineView } from "../view.ts";
import { EngineHandle, type HandlePorts, type Lost } from "./engine-handle.ts";
import { LOSS_WORDS } from "./loss-words.ts";

/*
 * Training in an engine that may die: which backend is in use, how long to wait for it, and which one comes next. When
 * an engine stops, its worker is ended too, which frees all its memory.
 */

export type TrainerPorts = HandlePorts & { readonly wall: WallClock };

/** Time that calibration allows each backend, loading included. */
const TIMING_MS_MAX = 2_000;
/** A backend that a person chose, or the last one left, may take longer. */
const CHOSEN_MS_MAX = 30_000;
/** For requests with short answers. */
const ANSWER_MS_MAX = 15_000;
/** An engine may stay silent for this many steps, on top of the minimum. */
const PATIENCE_STEPS = 100;
const PATIENCE_MS_MIN = 15_000;
/** Applies if the phase is short or over: the next job must not wait for an engine that never comes back. */
const PATIENCE_MS_FLOOR = 5_000;
const PATIENCE_STEPS_FLOOR = 10;
/** Assumed time of a step in an engine that was never timed. */
const UNTIMED_STEP_MS = 500;

/**
 * How long an engine may stay silent during training. Generous for slow phones, but at most half of the time left in
 * the phase, so that the device can still leave the round before the others wait for it. Rule T1.
 */
export function patienceMs(msPerStep: number | null, phaseLeftMs: number): number {
  const stepMs = msPerStep ?? UNTIMED_STEP_MS;
  const least = PATIENCE_MS_FLOOR + PATIENCE_STEPS_FLOOR * stepMs;
  return Math.min(PATIENCE_MS_MIN + PATIENCE_STEPS * stepMs, Math.max(least, phaseLeftMs / 2));
}

/** @param candidates  Tried in this order. */
export function createTrainer(ports: TrainerPorts, candidates: readonly BackendName[]): Trainer {
  return new EngineTrainer(ports, candidates);
}

class EngineTrainer implements Trainer {
  readonly engines = createSlices<EngineView>({ backend: null, calibrating: false, table: [], losses: [] });
  readonly #ports: TrainerPorts;
  readonly #candidates: readonly BackendName[];
  readonly #handle: EngineHandle;
  /** The task of the last calibration; null after `dispose`. */
  #task: Task | null = null;
  readonly #queue = new SerialQueue();
  #calibrations = 0;
  /** The most recent calibration. */
  #calibrated: Promise<void> = Promise.resolve();
  /** The backend that is being calibrated. If an engine stops now, it is this one. */
  #trying: BackendName | null = null;
  readonly #stopped = new Map<BackendName, EngineLoss>();

  constructor(ports: TrainerPorts, candidates: readonly BackendName[]) {
    this.#ports = ports;
    this.#candidates = candidates;
    this.#handle = new EngineHandle(
      ports,
      (backend, lost) => {
        if (backend === this.#current) return true;
        // Not the one in use. Example: the WebGL of a browser whose graphics process has ended.
        if (!this.#stopped.has(backend)) this.#noteLoss(backend, lost);
        return false;
      },
      (lost) => {
        const current = this.#current;
        if (current === null) this.#handle.end();
        else this.#lose(current, lost);
      },
    );
  }

  calibrate(task: Task, force?: BackendName): Promise<void> {
    this.#task = task;
    this.#calibrations += 1;
    this.engines.patch({ calibrating: true });
    this.#calibrated = this.#queue.run(async () => {
      const backend = await this.#choose(task, force);
      this.#calibrations -= 1;
      this.engines.patch({ backend, calibrating: this.#calibrations > 0 });
    });
    return this.#calibrated;
  }

  async ready(): Promise<BackendName | null> {
    while (this.#calibrations > 0) await this.#calibrated;
    return this.engines.get().backend;
  }

  train(
    job: TrainJob,
    onProgress: (progress: TrainProgress) => void,
    signal: AbortSignal,
  ): Promise<Result<Trained, TrainError>> {
    return this.#queue.run(async () => {
      const { backend, losses } = this.engines.get();
      if (signal.aborted) return err({ type: "cancelled" });
      if (backend !== null) return this.#train(backend, job, onProgress, signal);
      // The engine may have stopped between two jobs while the search for its successor goes on.
      const loss = this.#calibrations > 0 ? losses.at(-1) : undefined;
      return err(loss === undefined ? { type: "no-engine" } : { type: "engine-lost", loss });
    });
  }

  predict(task: Task, weights: Float32Array, input: Float32Array): Promise<Float32Array | null> {
    return this.#queue.run(async () => {
      const { backend } = this.engines.get();
      if (backend === null) return null;
      const request = { kind: "predict", task, weights, input } as const;
      const allowedMs = patienceMs(this.#msPerStep(backend), CHOSEN_MS_MAX);
      const answer = await this.#handle.ask(request, () => allowedMs);
      if (answer.type === "done") return answer.value;
      this.#lose(backend, answer);
      return null;
    });
  }

  heldBufferCount(): Promise<number> {
    return this.#queue.run(async () => {
      if (!this.#handle.isOpen) return 0;
      const answer = await this.#handle.ask({ kind: "count" }, () => ANSWER_MS_MAX);
      if (answer.type === "done") return answer.value;
      if (this.#current !== null) this.#lose(this.#current, answer);
      return 0;
    });
  }

  dispose(): Promise<void> {
    this.#task = null;
    this.engines.patch({ backend: null });
    return this.#handle.close();
  }

  get #current(): BackendName | null {
    return this.#trying ?? this.engines.get().backend;
  }

  async #train(
    backend: BackendName,
    job: TrainJob,
    onProgress: (progress: TrainProgress) => void,
    signal: AbortSignal,
  ): Promise<Result<Trained, TrainError>> {
    const msPerStep = this.#msPerStep(backend);
    const allowedMs = patienceMs(msPerStep, job.deadlineMs - this.#ports.clock.nowMs());
    const cancel = () => this.#handle.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    const answer = await this.#handle.ask(
      { kind: "train", job: this.#handle.jobOf(job) },
      () => (signal.aborted ? patienceMs(msPerStep, 0) : allowedMs),
      onProgress,
    );
    signal.removeEventListener("abort", cancel);
    if (answer.type === "lost") return err({ type: "engine-lost", loss: this.#lose(backend, answer) });
    return answer.value === null || signal.aborted ? err({ type: "cancelled" }) : ok(answer.value);
  }

  /** Times the backends and takes the fastest that works. */
  async #choose(task: Task, force: BackendName | undefined): Promise<BackendName | null> {
    if (force !== undefined) {
      this.#stopped.delete(force);
      const row = await this.#time(task, force, true, CHOSEN_MS_MAX);
      this.#showRows([row]);
      const used = await this.#takeBest(task, [row], true);
      if (used !== null) return used;
    }
    const rows: Calibration[] = [];
    for (const backend of this.#candidates.filter((candidate) => candidate !== force)) {
      const loss = this.#stopped.get(backend);
      rows.push(loss === undefined ? await this.#time(task, backend, false, TIMING_MS_MAX) : lostRow(loss));
    }
    this.#showRows(rows);
    return this.#takeBest(task, rows, false);
  }

  async #time(
    task: Task,
    backend: BackendName,
    allowSoftware: boolean,
    limitMs: number,
  ): Promise<Calibration> {
    this.#trying = backend;
    const request = { kind: "time", backend, task, allowSoftware } as const;
    const answer = await this.#handle.ask(request, () => limitMs);
    this.#trying = null;
    if (answer.type === "done") return answer.value;
    this.#handle.end();
    if (answer.cause !== "silent") return lostRow(this.#noteLoss(backend, answer));
    const note = `it took more than ${limitMs / 1_000} s to start`;
    return { backend, msPerStep: null, note, untimed: "late" };
  }

  async #takeBest(
    task: Task,
    rows: readonly Calibration[],
    allowSoftware: boolean,
  ): Promise<BackendName | null> {
    const timed = rows
      .filter(({ msPerStep }) => msPerStep !== null)
      .toSorted((left, right) => (left.msPerStep ?? 0) - (right.msPerStep ?? 0));
    for (const { backend } of timed) {
      if (this.#stopped.has(backend)) continue;
      this.#trying = backend;
      const answer = await this.#handle.ask({ kind: "use", backend, allowSoftware }, () => CHOSEN_MS_MAX);
      this.#trying = null;
      if (answer.type === "done" && answer.value === null) return backend;
      if (answer.type === "lost") this.#handle.end();
      const note = answer.type === "done" ? answer.value : LOSS_WORDS[answer.cause];
      this.#showRows([{ backend, msPerStep: null, note }]);
    }
    // On a busy machine every engine may start too late to be timed. Each then gets more time, the
    // simplest first.
    for (const { backend, untimed } of rows.toReversed()) {
      if (untimed !== "late") continue;
      const row = await this.#time(task, backend, allowSoftware, CHOSEN_MS_MAX);
      this.#showRows([row]);
      if (row.msPerStep !== null) return backend;
    }
    return null;
  }

  #msPerStep(backend: BackendName): number | null {
    return this.engines.get().table.find((row) => row.backend === backend)?.msPerStep ?? null;
  }

  /** Replaces the rows of these backends. The others stay, so that a person can still choose one. */
  #showRows(rows: readonly Calibration[]): void {
    const kept = this.engines
      .get()
      .table.filter(({ backend }) => rows.every((row) => row.backend !== backend));
    const place = ({ backend }: Calibration) => this.#candidates.indexOf(backend);
    this.engines.patch({ table: [...kept, ...rows].toSorted((left, right) => place(left) - place(right)) });
  }

  /** Ends the engine in use and looks for the next one. Rules T1, T3. */
  #lose(backend: BackendName, lost: Lost): EngineLoss {
    this.#handle.end();
    this.engines.patch({ backend: null });
    // The search starts before the loss is announced, so `ready` waits for it.
    if (this.#task !== null) void this.calibrate(this.#task);
    return this.#noteLoss(backend, lost);
  }

  #noteLoss(backend: BackendName, { cause, note }: Lost): EngineLoss {
    const loss = { backend, cause, note, at: this.#ports.wall.nowUnixMs() };
    this.#stopped.set(backend, loss);
    this.#showRows([lostRow(loss)]);
    this.engines.patch({ losses: [...this.engines.get().losses, loss] });
    return loss;
  }
}

function lostRow({ backend, cause }: EngineLoss): Calibration {
  return { backend, msPerStep: null, note: `it stopped: ${LOSS_WORDS[cause]}`, untimed: "lost" };
}
