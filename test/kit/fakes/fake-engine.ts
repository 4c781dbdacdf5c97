import type {
  EngineAnswers,
  EngineListener,
  EngineRequest,
  EngineWorker,
  OpenEngineWorker,
  ToEngine,
} from "#client/core/engine/engine-messages.ts";
import type { Trained } from "#client/core/ports.ts";
import type { LossCause } from "#client/core/training-facts.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Answer, answerCall } from "#shared/kernel/calls.ts";
import type { BackendName } from "#shared/task/engine.ts";
import type { ManualClock } from "./manual-clock.ts";

/*
 * Engines played by a test. Each worker says that it is ready, answers according to a script, and keeps what it was
 * sent. A terminated worker is not heard any more, whatever it says.
 */

/** What a worker does with a backend: its milliseconds per step, or nothing at all. */
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

  /** The training jobs that it received. */
  get jobs() {
    return this.sent.flatMap((message) =>
      message.kind === "call" && message.request.kind === "train"
        ? [{ id: message.id, ...message.request }]
        : [],
    );
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
    const post = (answer: Answer<never>) => this.listener.onMessage(answer);
    const work = () => Promise.reject(new Error(note));
    void answerCall({ kind: "call", id: this.#job.id, request: null }, work, post);
  }

  lose(backend: BackendName, cause: LossCause): void {
    this.listener.onMessage({ kind: "lost", backend, cause, note: "" });
  }

  #answer(message: ToEngine): void {
    if (message.kind === "cancel") return;
    const value = this.#valueOf(message.request);
    if (value !== undefined) this.listener.onMessage({ kind: "done", id: message.id, value });
  }

  /** Undefined if the test answers, or nobody does. */
  #valueOf(request: EngineRequest): EngineAnswers[EngineRequest["kind"]] | undefined {
    switch (request.kind) {
      case "time":
      case "use": {
        const { backend } = request;
        const conduct = this.#script[backend] ?? { note: "it is not here" };
        if (conduct === "silent") return undefined;
        const note = typeof conduct === "number" ? null : conduct.note;
        if (request.kind === "use") return note;
        return { backend, msPerStep: typeof conduct === "number" ? conduct : null, note };
      }
      case "predict":
        return new Float32Array([1]);
      case "count":
        return 0;
      case "train":
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

/** Opens workers one after the other; each new one reads `script` again. */
export class EngineShop {
  readonly engines: FakeEngine[] = [];
  script: Script;
  /** Opens workers that never say that they are ready. */
  stuck = false;
  /** Makes the platform refuse any worker. */
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

/** Lets everything run that needs no time. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Advances the clock in steps and runs what they start in between. */
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
