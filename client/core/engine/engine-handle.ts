import { Calls } from "#shared/kernel/calls.ts";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { type Silence, watchSilence } from "#shared/kernel/silence.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { BackendName, TrainProgress } from "#shared/task/engine.ts";
import type { TrainJob } from "../ports.ts";
import type { LossCause } from "../training-facts.ts";
import type {
  EngineAnswers,
  EngineJob,
  EngineRequest,
  EngineWorker,
  FromEngine,
  OpenEngineWorker,
  SentRows,
} from "./engine-messages.ts";

/** How long a new worker may take to load its code. */
const START_MS_MAX = 30_000;
/** Stands for the start of the worker, which `ready` answers without an id. Calls begin at 1. */
const START_ID = 0;

export interface HandlePorts {
  readonly openWorker: OpenEngineWorker;
  readonly clock: MonotonicClock;
  readonly after: (delayMs: number, run: () => void) => () => void;
}

export type Answer<Kind extends EngineRequest["kind"]> =
  | { readonly type: "done"; readonly value: EngineAnswers[Kind] }
  | Lost;
/** No answer will come; the worker must be ended. */
export interface Lost {
  readonly type: "lost";
  readonly cause: LossCause;
  readonly note: string;
}

interface Pending {
  /** Of the call. */
  id: number;
  readonly silence: Silence;
  readonly onProgress: (progress: TrainProgress) => void;
  readonly resolve: (answer: Answer<never>) => void;
}

/**
 * Owns the worker of one engine. It opens the worker when needed, asks one thing at a time, and ends the worker if
 * necessary. Every request settles: with its answer, when the worker ends, or after too long a silence.
 */
export class EngineHandle {
  readonly #ports: HandlePorts;
  readonly #onLost: (backend: BackendName, lost: Lost) => boolean;
  readonly #onEnd: (lost: Lost) => void;
  #worker: EngineWorker | null = null;
  /** To the current worker. */
  #calls = new Calls<EngineRequest>(() => {});
  #pending: Pending | null = null;
  #nextRowsId = 1;
  readonly #rowIds = new WeakMap<Dataset, number>();
  #held = { train: 0, local: 0 };
  #closed = false;

  /**
   * @param onLost  A backend has ended; returns true if it is the one that runs the current request.
   * @param onEnd   The worker or its backend has ended while no request was pending.
   */
  constructor(
    ports: HandlePorts,
    onLost: (backend: BackendName, lost: Lost) => boolean,
    onEnd: (lost: Lost) => void,
  ) {
    this.#ports = ports;
    this.#onLost = onLost;
    this.#onEnd = onEnd;
  }

  get isOpen(): boolean {
    return this.#worker !== null;
  }

  /** @param limitMs  Longest silence allowed; read again each time the timer starts. */
  async ask<Kind extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { readonly kind: Kind }>,
    limitMs: () => number,
    onProgress: (progress: TrainProgress) => void = () => {},
  ): Promise<Answer<Kind>> {
    if (this.#worker === null) {
      const started = await this.#open();
      if (started.type === "lost") return started;
    }
    return this.#waitFor(limitMs, onProgress, (pending) => {
      const settle = (answer: Answer<Kind>) => {
        // It may have been given up as lost before its answer came.
        if (this.#pending === pending) this.#settle(answer);
      };
      this.#calls.ask<EngineAnswers[Kind]>(request).then(
        (value) => settle({ type: "done", value }),
        ({ message }: Error) => settle({ type: "lost", cause: causeOf(message), note: message }),
      );
      pending.id = this.#calls.newestId;
    });
  }

  /** Asks the engine to abandon the current request. */
  cancel(): void {
    if (this.#pending !== null) this.#worker?.post({ kind: "cancel", id: this.#pending.id });
  }

  /** The job as it is sent: rows that the worker already holds are referred to by id only. */
  jobOf({ task, plan, weights, train, local, shuffleSeed, wantsAnswers = false }: TrainJob): EngineJob {
    const sent = (slot: "train" | "local", rows: Dataset): SentRows => {
      const id = this.#rowIds.get(rows) ?? this.#nextRowsId++;
      this.#rowIds.set(rows, id);
      const isHeld = this.#held[slot] === id;
      this.#held[slot] = id;
      return { id, rows: isHeld ? null : rows };
    };
    const rows = { train: sent("train", train), local: sent("local", local) };
    return { task, plan, weights, ...rows, shuffleSeed, wantsAnswers };
  }

  /** Ends the worker at once; the next request opens a new one. */
  end(): void {
    void this.#end();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const gone = this.#end();
    this.#settle({ type: "lost", cause: "ended", note: "" });
    await gone;
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    this.#held = { train: 0, local: 0 };
    await worker?.terminate();
  }

  async #open(): Promise<Answer<"count">> {
    if (this.#closed) return { type: "lost", cause: "ended", note: "" };
    const started = await this.#waitFor<"count">(
      () => START_MS_MAX,
      () => {},
      () => {
        const worker = this.#ports.openWorker({
          onMessage: (message) => {
            if (this.#worker === worker) this.#onMessage(message);
          },
          onEnd: (cause, note) => {
            if (this.#worker === worker) this.#stopped({ type: "lost", cause, note });
          },
        });
        this.#worker = worker;
        this.#calls = new Calls((call) => worker.post(call));
      },
    );
    if (started.type === "lost") this.end();
    return started;
  }

  #waitFor<Kind extends EngineRequest["kind"]>(
    limitMs: () => number,
    onProgress: (progress: TrainProgress) => void,
    begin: (pending: Pending) => void,
  ): Promise<Answer<Kind>> {
    return new Promise((resolve) => {
      const silence = watchSilence(this.#ports, limitMs, () =>
        this.#settle({ type: "lost", cause: "silent", note: "" }),
      );
      const pending = { id: START_ID, silence, onProgress, resolve: resolve as Pending["resolve"] };
      this.#pending = pending;
      try {
        begin(pending);
      } catch (error) {
        // The page's policy forbids workers.
        const note = String(error);
        this.#settle({ type: "lost", cause: causeOf(note), note });
      }
    });
  }

  #settle(answer: Answer<EngineRequest["kind"]>): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    pending.silence.end();
    pending.resolve(answer as Answer<never>);
  }

  #stopped(lost: Lost): void {
    if (this.#pending === null) this.#onEnd(lost);
    else this.#settle(lost);
  }

  #onMessage(message: FromEngine): void {
    if (message.kind === "lost") {
      const lost = { type: "lost", cause: message.cause, note: message.note } as const;
      if (this.#onLost(message.backend, lost)) this.#stopped(lost);
      return;
    }
    if (message.kind === "done" || message.kind === "failed") {
      this.#calls.hear(message);
      return;
    }
    const pending = this.#pending;
    const id = message.kind === "ready" ? START_ID : message.id;
    if (pending === null || pending.id !== id) return;
    switch (message.kind) {
      case "ready":
        this.#settle({ type: "done", value: 0 });
        return;
      case "beat":
        pending.silence.heard();
        return;
      case "progress":
        pending.silence.heard();
        pending.onProgress(message.progress);
        return;
    }
  }
}

/** Each engine reports memory failures in its own words. */
function causeOf(note: string): LossCause {
  return /out of memory|memory access out of bounds|allocation fail|OOM/i.test(note)
    ? "out-of-memory"
    : "fault";
}
