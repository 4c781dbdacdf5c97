import { present } from "#shared/kernel/assert.ts";
import type { BackendName, Engine } from "#shared/task/engine.ts";
import type {
  EngineJob,
  EngineRequest,
  FromEngine,
  SentRows,
  ToEngine,
} from "../core/engine/engine-messages.ts";
import type { Examples, Trained } from "../core/ports.ts";

/*
 * The engine's side of core/engine-messages.ts, in a worker or thread of its own. It runs what it is asked and says when a
 * backend has ended; what follows from that its trainer decides.
 */

export interface EngineRoomOptions {
  readonly engine: Engine;
  readonly post: (message: FromEngine) => void;
  /** Before a backend is looked for, e.g. to give Node a GPU. */
  readonly prepare?: (backend: BackendName) => Promise<void>;
}

/** After a fault, until what the platform says of it has come. */
const LOSS_MS = 100;

export interface EngineRoom {
  take(message: ToEngine): void;
  /** Gives up what is under way, and its GPU with it. Resolves when nothing is pending any more. */
  leave(): Promise<void>;
}

export function openEngineRoom({ engine, post, prepare }: EngineRoomOptions): EngineRoom {
  const pending = new Set<Promise<unknown>>();
  const running = new Map<number, AbortController>();
  const held = new Map<"train" | "local", { readonly id: number; readonly rows: Examples }>();

  const rowsOf = (slot: "train" | "local", { id, rows }: SentRows): Examples => {
    if (rows !== null) held.set(slot, { id, rows });
    const kept = held.get(slot);
    return present(kept?.id === id ? kept.rows : null, "rows are sent before they are named");
  };

  const watch = () => engine.watch((loss) => post({ kind: "lost", ...loss }));

  const answer = async (request: EngineRequest & { readonly id: number }) => {
    switch (request.kind) {
      case "time": {
        const { backend, model, plan, allowSoftware } = request;
        await prepare?.(backend);
        return engine.time(backend, model, plan, allowSoftware, watch);
      }
      case "use": {
        await prepare?.(request.backend);
        const used = await engine.use(request.backend, request.allowSoftware);
        if (used.ok) watch();
        return used.ok ? null : used.error;
      }
      case "train": {
        const abort = new AbortController();
        running.set(request.id, abort);
        const rows = {
          train: rowsOf("train", request.job.train),
          local: rowsOf("local", request.job.local),
        };
        return runJob(engine, request.job, rows, request.id, abort.signal, post);
      }
      case "predict":
        return engine.predict(request.model, request.weights, request.input);
      case "count":
        return engine.liveTensorCount();
    }
  };

  const take = (message: ToEngine) => {
    const { id } = message;
    if (message.kind === "cancel") {
      running.get(id)?.abort();
      return;
    }
    const answered = answer(message)
      .then(
        (value) => post({ kind: "done", id, value }),
        async (fault) => {
          // Reads of a lost device throw before it is said to be lost; that says more than what was thrown.
          await new Promise((resolve) => setTimeout(resolve, LOSS_MS));
          post({ kind: "failed", id, note: fault instanceof Error ? fault.message : String(fault) });
        },
      )
      .finally(() => {
        running.delete(id);
        pending.delete(answered);
      });
    pending.add(answered);
  };
  const leave = async () => {
    for (const abort of running.values()) abort.abort();
    // Reads that wait for the device end with it.
    engine.close();
    await Promise.allSettled(pending);
  };
  post({ kind: "ready" });
  return { take, leave };
}

async function runJob(
  engine: Engine,
  { model, plan, weights, shuffleSeed }: EngineJob,
  rows: { readonly train: Examples; readonly local: Examples },
  id: number,
  signal: AbortSignal,
  post: (message: FromEngine) => void,
): Promise<Trained | null> {
  const beganMs = performance.now();
  const metricsOf = async (now: Float32Array) => {
    if (rows.local.count === 0) return { count: 0, lossSum: 0, correct: 0 };
    const beat = () => post({ kind: "beat", id });
    const { count, lossSum, correct } = await engine.evaluate(model, now, rows.local, beat);
    return { count, lossSum, correct };
  };
  const before = await metricsOf(weights);
  const trained = await engine.train(
    { model, plan, weights, rows: rows.train, shuffleSeed },
    (progress) => post({ kind: "progress", id, progress }),
    signal,
  );
  if (!trained.ok) return null;
  const after = trained.value;
  return {
    delta: after.weights.map((weight, index) => weight - (weights[index] as number)),
    numExamples: rows.train.count,
    before,
    after: await metricsOf(after.weights),
    epochLosses: after.epochLosses,
    seconds: (performance.now() - beganMs) / 1_000,
  };
}
