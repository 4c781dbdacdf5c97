import type {
  EngineListener,
  EngineWorker,
  FromEngine,
  OpenEngineWorker,
  ToEngine,
} from "#client/core/engine/engine-messages.ts";
import type { LossCause, Trained } from "#client/core/ports.ts";
import { present } from "#shared/kernel/assert.ts";
import type { BackendName } from "#shared/task/engine.ts";
import type { ManualClock } from "./manual-clock.ts";

/*
 * Engines that a test plays: each worker says that it is ready, answers what a script says, and keeps what it was sent. A
 * worker that was terminated is not heard any more, whatever it says.
 */

/** What a worker does with a backend: its milliseconds a step, or nothing at all. */
export type Conduct = number | "silent" | { readonly note: string };
export type Script = Partial<Record<BackendName, Conduct>>;

export class FakeEngine implements EngineWorker {
  readonly sent: ToEngine[] = [];
  terminated = false;
  readonly listener: EngineListener;
  readonly #script: Script;

  constructor(listener: EngineListener, script: Script) {
    this.listener = listener;
    this.#script = script;
  }

  post(message: ToEngine): void {
    this.sent.push(message);
    queueMicrotask(() => this.#answer(message));
  }

  async terminate(): Promise<void> {
    this.terminated = true;
  }

  /** The trainings that it was asked for. */
  get jobs() {
    return this.sent.flatMap((message) => (message.kind === "train" ? [message] : []));
  }

  get #job() {
    return present(this.jobs.at(-1), "a job");
  }

  progress(step = 1): void {
    const progress = { epoch: 1, step, stepCount: 10, loss: 1 };
    this.listener.onMessage({ kind: "progress", id: this.#job.id, progress });
  }

  finish(trained: Trained = made(this.#job.job.weights.length)): void {
    this.listener.onMessage({ kind: "done", id: this.#job.id, value: trained });
  }

  fail(note: string): void {
    this.listener.onMessage({ kind: "failed", id: this.#job.id, note });
  }

  lose(backend: BackendName, cause: LossCause): void {
    this.listener.onMessage({ kind: "lost", backend, cause, note: "" });
  }

  #answer(message: ToEngine): void {
    const value = this.#valueOf(message);
    if (value !== undefined) this.listener.onMessage({ kind: "done", id: message.id, value });
  }

  /** Undefined where a test answers, or nobody does. */
  #valueOf(message: ToEngine): Extract<FromEngine, { kind: "done" }>["value"] | undefined {
    switch (message.kind) {
      case "time":
      case "use": {
        const { backend } = message;
        const conduct = this.#script[backend] ?? { note: "it is not here" };
        if (conduct === "silent") return undefined;
        const note = typeof conduct === "number" ? null : conduct.note;
        if (message.kind === "use") return note;
        return { backend, msPerStep: typeof conduct === "number" ? conduct : null, note };
      }
      case "predict":
        return new Float32Array([1]);
      case "count":
        return 0;
      case "train":
      case "cancel":
        return undefined;
    }
  }
}

export function made(length: number): Trained {
  const metrics = { count: 5, lossSum: 3, correct: 2 };
  return {
    delta: new Float32Array(length).fill(0.01),
    numExamples: 9,
    before: metrics,
    after: metrics,
    epochLosses: [1],
    seconds: 1,
  };
}

/** Workers one after the other; every new one reads `script` anew. */
export class EngineShop {
  readonly engines: FakeEngine[] = [];
  script: Script;
  /** A worker that never says that it is ready. */
  stuck = false;
  /** The platform refuses to make a worker at all. */
  refuses = false;

  constructor(script: Script) {
    this.script = script;
  }

  readonly open: OpenEngineWorker = (listener) => {
    if (this.refuses) throw new Error("the page's policy forbids a worker from here");
    const engine = new FakeEngine(listener, this.script);
    this.engines.push(engine);
    if (!this.stuck) queueMicrotask(() => listener.onMessage({ kind: "ready" }));
    return engine;
  };

  get last(): FakeEngine {
    return present(this.engines.at(-1), "an engine");
  }

  get running(): FakeEngine[] {
    return this.engines.filter(({ terminated }) => !terminated);
  }
}

/** Lets everything that needs no time happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time pass in steps, and what they start happen between them. */
export async function pass(clock: ManualClock, byMs: number): Promise<void> {
  const untilMs = clock.nowMs() + byMs;
  for (;;) {
    await settled();
    const { nextMs } = clock;
    if (nextMs === null || nextMs > untilMs) break;
    clock.advance(nextMs - clock.nowMs());
  }
  clock.advance(untilMs - clock.nowMs());
  await settled();
}
