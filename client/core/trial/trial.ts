import { normL2 } from "#shared/codec/quantize.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, Primitives, RandomBytes } from "#shared/kernel/ports.ts";
import { initialModel } from "#shared/strategy/initialize.ts";
import { type Dataset, pickRows } from "#shared/task/dataset.ts";
import type { BackendName } from "#shared/task/engine.ts";
import { modelTensors } from "#shared/task/model.ts";
import { shuffledIndices } from "#shared/task/shuffle.ts";
import type { Task } from "#shared/task/task.ts";
import type { LocalMetrics } from "#shared/vector/segment.ts";
import { splitLocal } from "../local-data.ts";
import type { Trained, Trainer } from "../ports.ts";
import { createSlices, type Slices } from "../slices.ts";

/*
 * Trying a task on rows of one's own before anyone is asked. It trains as a device does in round after round, with the
 * trainer of devices and without a coordinator: nothing is sent, clipped or masked.
 */

export interface TrialOptions {
  /** Its model, training plan and features count; the rest is not used. */
  readonly task: Task;
  /** Encoded for the task's model. */
  readonly rows: Dataset;
  /** How often the rows are trained on as in a round: `task.training.epochs` over them. */
  readonly passes: number;
  /** Fraction of the rows that judge and do not train. Default: 0.2. */
  readonly keptFraction?: number;
  /** Rows of one pass, drawn anew for each: as many as a device may have. Default: all that train. */
  readonly rowsPerPass?: number;
  /** Default: the fastest one that works. */
  readonly backend?: BackendName;
}

export type TrialState = "starting" | "training" | "done" | "stopped" | "failed";

export interface TrialView {
  readonly state: TrialState;
  /** Why it failed, with what to do; else null. */
  readonly problem: string | null;
  readonly backend: BackendName | null;
  readonly trainCount: number;
  readonly keptCount: number;
  /** Kept-back rows of each class, what guessing knows; null if the label is a number. */
  readonly keptByClass: readonly number[] | null;
  /** How far the kept-back labels are from their mean on average, what guessing knows of a number; null if it is a class. */
  readonly keptDeviation: number | null;
  readonly passes: number;
  /** Over all passes, in steps of training. */
  readonly stepsDone: number;
  readonly stepCount: number;
  /** Milliseconds until the end at the pace so far; null before there is one. */
  readonly msLeft: number | null;
  /** One for each pass that has ended. */
  readonly points: readonly TrialPoint[];
  /** Before any training. */
  readonly before: LocalMetrics | null;
}

export interface TrialPoint {
  /** From 1. */
  readonly pass: number;
  /** Mean loss of the pass's last epoch, over its batches as they were trained. */
  readonly trainLoss: number;
  /** On the kept-back rows. */
  readonly kept: LocalMetrics;
  /** Kept-back rows by true class, then by the class that the model gives; null if the label is a number. */
  readonly confusion: readonly (readonly number[])[] | null;
  /** Length of the pass's update, in the unit of the weights: what a round would clip. */
  readonly updateNormL2: number;
}

export interface Trial {
  readonly view: Slices<TrialView>;
  /** Ends it after the current batch. What has been learnt stays in view. */
  stop(): void;
  /** Resolves when it is done, stopped or has failed. Never rejects. */
  readonly ended: Promise<void>;
}

export interface TrialPorts {
  readonly trainer: Trainer;
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
}

const KEPT_FRACTION = 0.2;
/** No round waits for a trial. */
const PATIENCE_MS = 10 * 60_000;
/** A pass that an engine could not finish is begun again with the next one, so many times. */
const LOSSES_MAX = 4;

/** Begins at once. @param trainer  Stays the caller's; one trial at a time. */
export function startTrial(ports: TrialPorts, options: TrialOptions): Trial {
  const { task, rows, passes, keptFraction = KEPT_FRACTION } = options;
  const { train, local } = splitLocal(rows, keptFraction, ports.random(32));
  const perPass = Math.max(1, Math.min(options.rowsPerPass ?? train.count, train.count));
  const { epochs, batchSize } = task.training;
  const classCount = task.features.classes?.length ?? null;
  const view = createSlices<TrialView>({
    state: "starting",
    problem: null,
    backend: null,
    trainCount: train.count,
    keptCount: local.count,
    keptByClass: classCount === null ? null : countByClass(local, classCount),
    keptDeviation: classCount === null ? meanDeviation(local) : null,
    passes,
    stepsDone: 0,
    stepCount: passes * epochs * Math.ceil(perPass / batchSize),
    msLeft: null,
    points: [],
    before: null,
  });
  const abort = new AbortController();
  const run = new TrialRun(ports, options, { train, local, perPass, classCount }, view, abort.signal);
  return { view, stop: () => abort.abort(), ended: run.begin() };
}

interface TrialRows {
  readonly train: Dataset;
  readonly local: Dataset;
  readonly perPass: number;
  readonly classCount: number | null;
}

class TrialRun {
  readonly #ports: TrialPorts;
  readonly #options: TrialOptions;
  readonly #rows: TrialRows;
  readonly #view: Slices<TrialView>;
  readonly #signal: AbortSignal;

  constructor(
    ports: TrialPorts,
    options: TrialOptions,
    rows: TrialRows,
    view: Slices<TrialView>,
    signal: AbortSignal,
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#rows = rows;
    this.#view = view;
    this.#signal = signal;
  }

  async begin(): Promise<void> {
    const { trainer, primitives, random } = this.#ports;
    const { task, backend } = this.#options;
    if (this.#rows.train.count === 0) return this.#fail("A trial needs at least one row to train on.");
    await trainer.calibrate(task, backend);
    if (this.#signal.aborted) return this.#view.patch({ state: "stopped" });
    const seed: Bytes = random(32);
    let weights: Float32Array = await initialModel(primitives, modelTensors(task.model), seed);
    for (let pass = 1; pass <= this.#options.passes; pass++) {
      const trained = await this.#pass(pass, weights);
      if (trained === null) return;
      const { delta } = trained;
      const updateNormL2 = normL2(delta);
      if (!Number.isFinite(updateNormL2)) {
        return this.#fail("The numbers grew without bound. A smaller learning rate would keep them finite.");
      }
      weights = weights.map((weight, index) => weight + (delta[index] as number));
      this.#addPoint(pass, trained, updateNormL2);
    }
    this.#view.patch({ state: "done", msLeft: 0 });
  }

  /** Null if the trial is over. */
  async #pass(pass: number, weights: Float32Array): Promise<Trained | null> {
    const { trainer, clock, random } = this.#ports;
    const { task } = this.#options;
    const { train, local, perPass } = this.#rows;
    const rows = perPass === train.count ? train : drawn(train, perPass, random);
    const stepsBefore = this.#view.get().stepsDone;
    for (let losses = 0; ; losses++) {
      const backend = await trainer.ready();
      if (backend === null) {
        this.#fail(
          "No engine on this device can train this model. Try another browser, or a model without convolutions.",
        );
        return null;
      }
      this.#view.patch({ state: "training", backend });
      const beganMs = clock.nowMs();
      const job = {
        task,
        plan: task.training,
        weights,
        train: rows,
        local,
        wantsAnswers: true,
        shuffleSeed: new DataView(random(4).buffer).getUint32(0),
        deadlineMs: beganMs + PATIENCE_MS,
      };
      const trained = await trainer.train(
        job,
        ({ step }) => this.#progress(stepsBefore, step, clock.nowMs() - beganMs),
        this.#signal,
      );
      if (trained.ok) {
        this.#view.patch({ stepsDone: stepsBefore + this.#view.get().stepCount / this.#options.passes });
        if (pass === 1) this.#view.patch({ before: trained.value.before });
        return trained.value;
      }
      if (trained.error.type === "cancelled") {
        this.#view.patch({ state: "stopped", msLeft: null });
        return null;
      }
      if (losses >= LOSSES_MAX) {
        this.#fail("The engines of this device stopped again and again. A smaller batch or model may help.");
        return null;
      }
    }
  }

  #progress(stepsBefore: number, step: number, elapsedMs: number): void {
    const { stepCount } = this.#view.get();
    const stepsDone = stepsBefore + step;
    this.#view.patch({ stepsDone, msLeft: ((stepCount - stepsDone) * elapsedMs) / step });
  }

  #addPoint(pass: number, trained: Trained, updateNormL2: number): void {
    const { local, classCount } = this.#rows;
    const { answers } = trained;
    const point: TrialPoint = {
      pass,
      trainLoss: trained.epochLosses.at(-1) ?? Number.NaN,
      kept: trained.after,
      confusion:
        classCount === null || answers === undefined ? null : confusionOf(answers, local, classCount),
      updateNormL2,
    };
    this.#view.patch({ points: [...this.#view.get().points, point] });
  }

  #fail(problem: string): void {
    this.#view.patch({ state: "failed", problem, msLeft: null });
  }
}

function drawn(rows: Dataset, count: number, random: RandomBytes): Dataset {
  const order = shuffledIndices(rows.count, new DataView(random(4).buffer).getUint32(0));
  return pickRows(rows, order.subarray(0, count));
}

function countByClass({ labels }: Dataset, classCount: number): readonly number[] {
  const counts = new Array<number>(classCount).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

function meanDeviation({ labels, count }: Dataset): number {
  const mean = labels.reduce((sum, label) => sum + label, 0) / count;
  return labels.reduce((sum, label) => sum + Math.abs(label - mean), 0) / count;
}

/** @param answers  [rows, classCount]: the probability of each class. */
function confusionOf(
  answers: Float32Array,
  { labels, count }: Dataset,
  classCount: number,
): readonly (readonly number[])[] {
  const counts = Array.from({ length: classCount }, () => new Array<number>(classCount).fill(0));
  for (let row = 0; row < count; row++) {
    const own = answers.subarray(row * classCount, (row + 1) * classCount);
    const counted = counts[labels[row] as number] as number[];
    const best = own.indexOf(Math.max(...own));
    if (best >= 0) counted[best] = (counted[best] as number) + 1;
  }
  return counts;
}
