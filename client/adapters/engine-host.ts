import { present } from "#shared/kernel/assert.ts";
import { answerCall } from "#shared/kernel/calls.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { BackendName, Engine } from "#shared/task/engine.ts";
import { localMetricsOf } from "#shared/vector/segments/metrics.ts";
import type {
  EngineJob,
  EngineRequest,
  FromEngine,
  SentRows,
  ToEngine,
} from "../core/engine/engine-messages.ts";
import type { Trained } from "../core/ports.ts";

/*
 * The engine's side of core/engine-messages.ts, in its own worker or thread. It runs what it is asked to and reports
 * when a backend has ended; the trainer decides what to do about it.
 */

export interface EngineHostOptions {
  readonly engine: Engine;
  readonly post: (message: FromEngine) => void;
  /** Called before a backend is looked for, e.g. to give Node a GPU. */
  readonly prepare?: (backend: BackendName) => Promise<void>;
}

/** Wait after an error, for the platform's own report of a loss. */
const LOSS_MS = 100;

export interface EngineHost {
  take(message: ToEngine): void;
  /** Gives up what is running, and its GPU. Resolves when nothing is pending any more. */
  leave(): Promise<void>;
}

export function openEngineHost({ engine, post, prepare }: EngineHostOptions): EngineHost {
  const pending = new Set<Promise<unknown>>();
  const running = new Map<number, AbortController>();
  const rowsOf = heldRows();

  const watch = () => engine.watch((loss) => post({ kind: "lost", ...loss }));

  const answer = async (id: number, request: EngineRequest) => {
    switch (request.kind) {
      case "time": {
        const { backend, task, allowSoftware } = request;
        await prepare?.(backend);
        return engine.time(backend, task, allowSoftware, watch);
      }
      case "use": {
        await prepare?.(request.backend);
        const used = await engine.use(request.backend, request.allowSoftware);
        if (used.ok) watch();
        return used.ok ? null : used.error;
      }
      case "train": {
        const abort = new AbortController();
        running.set(id, abort);
        const rows = {
          train: rowsOf("train", request.job.train),
          local: rowsOf("local", request.job.local),
        };
        return runJob(engine, request.job, rows, id, abort.signal, post);
      }
      case "predict":
        return engine.predict(request.task, request.weights, request.input);
      case "count":
        return engine.heldBufferCount();
    }
  };

  const take = (message: ToEngine) => {
    const { id } = message;
    if (message.kind === "cancel") {
      running.get(id)?.abort();
      return;
    }
    const work = async (request: EngineRequest) => {
      try {
        return await answer(id, request);
      } catch (fault) {
        // Reads from a lost device throw before its loss is reported. The report explains more than the error.
        await new Promise((resolve) => setTimeout(resolve, LOSS_MS));
        throw fault;
      }
    };
    const answered = answerCall(message, work, post).finally(() => {
      running.delete(id);
      pending.delete(answered);
    });
    pending.add(answered);
  };
  const leave = async () => {
    for (const abort of running.values()) abort.abort();
    // This also ends reads that wait for the device.
    engine.close();
    await Promise.allSettled(pending);
  };
  post({ kind: "ready" });
  return { take, leave };
}

/** Remembers the newest rows of each kind, which later jobs only name. */
function heldRows(): (kind: "train" | "local", sent: SentRows) => Dataset {
  const held = new Map<"train" | "local", { readonly id: number; readonly rows: Dataset }>();
  return (kind, { id, rows }) => {
    if (rows !== null) held.set(kind, { id, rows });
    const kept = held.get(kind);
    return present(kept?.id === id ? kept.rows : null, "rows are sent before they are named");
  };
}

async function runJob(
  engine: Engine,
  { task, plan, weights, shuffleSeed, wantsAnswers }: EngineJob,
  rows: { readonly train: Dataset; readonly local: Dataset },
  id: number,
  signal: AbortSignal,
  post: (message: FromEngine) => void,
): Promise<Trained | null> {
  const beganMs = performance.now();
  const metricsOf = async (now: Float32Array) => {
    const beat = () => post({ kind: "beat", id });
    return localMetricsOf(await engine.evaluate(task, now, rows.local, beat));
  };
  const before = await metricsOf(weights);
  const trained = await engine.train(
    { task, plan, weights, rows: rows.train, shuffleSeed },
    (progress) => post({ kind: "progress", id, progress }),
    signal,
  );
  if (!trained.ok) return null;
  const after = trained.value;
  const beat = () => post({ kind: "beat", id });
  return {
    delta: after.weights.map((weight, index) => weight - (weights[index] as number)),
    numExamples: rows.train.count,
    before,
    after: await metricsOf(after.weights),
    ...(wantsAnswers && { answers: await engine.answers(task, after.weights, rows.local, beat) }),
    epochLosses: after.epochLosses,
    seconds: (performance.now() - beganMs) / 1_000,
  };
}
