import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { type Silence, watchSilence } from "#shared/kernel/silence.ts";
import type { BackendName, TrainProgress } from "#shared/task/engine.ts";
import type { Examples, LossCause, TrainJob } from "../ports.ts";
import type {
  EngineAnswers,
  EngineJob,
  EngineRequest,
  EngineWorker,
  FromEngine,
  OpenEngineWorker,
  SentRows,
} from "./engine-messages.ts";

/** Until a new worker has loaded its code. */
const START_MS_MAX = 30_000;
/** `ready` answers the start, which has no id of its own. */
const START_ID = 0;

export interface SeatPorts {
  readonly openWorker: OpenEngineWorker;
  readonly clock: MonotonicClock;
  readonly after: (delayMs: number, run: () => void) => () => void;
}

export type Answer<Kind extends EngineRequest["kind"]> =
  | { readonly type: "done"; readonly value: EngineAnswers[Kind] }
  | Lost;
/** No answer will come; the worker that was asked has to be ended. */
export interface Lost {
  readonly type: "lost";
  readonly cause: LossCause;
  readonly note: string;
}

interface Pending {
  readonly id: number;
  readonly silence: Silence;
  readonly onProgress: (progress: TrainProgress) => void;
  readonly resolve: (answer: Answer<never>) => void;
}

/**
 * The place of one engine's worker: opened when it is needed, asked one thing at a time, and ended when it has to be. Every
 * request ends: with its answer, with the worker, or with too long a silence.
 */
export class EngineSeat {
  readonly #ports: SeatPorts;
  readonly #onLost: (backend: BackendName, lost: Lost) => boolean;
  readonly #onEnd: (lost: Lost) => void;
  #worker: EngineWorker | null = null;
  #pending: Pending | null = null;
  #nextId = START_ID + 1;
  readonly #rowIds = new WeakMap<Examples, number>();
  #held = { train: 0, local: 0 };
  #closed = false;

  /**
   * @param onLost  A backend has ended; true if it is the one that works on the request under way.
   * @param onEnd   The worker has ended, or its backend has, while nothing was asked.
   */
  constructor(
    ports: SeatPorts,
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

  /** @param limitMs  Of silence; asked again and again while it is waited. */
  async ask<Kind extends EngineRequest["kind"]>(
    request: Extract<EngineRequest, { readonly kind: Kind }>,
    limitMs: () => number,
    onProgress: (progress: TrainProgress) => void = () => {},
  ): Promise<Answer<Kind>> {
    if (this.#worker === null) {
      const started = await this.#open();
      if (started.type === "lost") return started;
    }
    return this.#waitFor(this.#nextId++, limitMs, onProgress, (id) =>
      this.#worker?.post({ ...(request as EngineRequest), id }),
    );
  }

  /** Asks the engine to give up what it does. */
  cancel(): void {
    if (this.#pending !== null) this.#worker?.post({ kind: "cancel", id: this.#pending.id });
  }

  /** The job as it crosses: rows that this worker holds already are named only. */
  jobOf({ task, plan, weights, train, local, shuffleSeed }: TrainJob): EngineJob {
    const sent = (slot: "train" | "local", rows: Examples): SentRows => {
      const id = this.#rowIds.get(rows) ?? this.#nextId++;
      this.#rowIds.set(rows, id);
      const isHeld = this.#held[slot] === id;
      this.#held[slot] = id;
      return { id, rows: isHeld ? null : rows };
    };
    const { model } = task;
    return { model, plan, weights, train: sent("train", train), local: sent("local", local), shuffleSeed };
  }

  /** Ends the worker, whatever it does; the next request opens another. */
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
      START_ID,
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
      },
    );
    if (started.type === "lost") this.end();
    return started;
  }

  #waitFor<Kind extends EngineRequest["kind"]>(
    id: number,
    limitMs: () => number,
    onProgress: (progress: TrainProgress) => void,
    begin: (id: number) => void,
  ): Promise<Answer<Kind>> {
    return new Promise((resolve) => {
      const silence = watchSilence(this.#ports, limitMs, () =>
        this.#settle({ type: "lost", cause: "silent", note: "" }),
      );
      this.#pending = { id, silence, onProgress, resolve: resolve as Pending["resolve"] };
      try {
        begin(id);
      } catch (error) {
        // The page's policy forbids the worker, or the request cannot be copied.
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
      case "done":
        this.#settle({ type: "done", value: message.value });
        return;
      case "failed":
        this.#settle({ type: "lost", cause: causeOf(message.note), note: message.note });
        return;
    }
  }
}

/** Engines say in words of their own that memory was refused. */
function causeOf(note: string): LossCause {
  return /out of memory|memory access out of bounds|allocation fail|OOM/i.test(note)
    ? "out-of-memory"
    : "fault";
}
