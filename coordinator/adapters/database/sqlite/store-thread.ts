import type { ResourceLimits } from "node:worker_threads";
import { CallThread } from "../../call-thread.ts";
import type { EnteredRuns } from "../tracking/entered-runs.ts";
import type { Method, Opened, Request } from "./messages.ts";

/** A store's heap is small, except while the log of a large round is read. */
const LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512, stackSizeMb: 2 };

/**
 * A thread with one connection. If it ends by itself, all calls reject from then on and `onLost` is called
 * once.
 */
export class StoreThread {
  readonly #thread: CallThread<Request>;

  /** @param onEntered  Called while a writing connection opens and enters runs of an earlier version. */
  constructor(onLost: (error: Error) => void, onEntered: (entered: EnteredRuns) => void = () => {}) {
    const url = new URL("./store.worker.ts", import.meta.url);
    this.#thread = new CallThread(url, {
      name: "a thread of the database",
      limits: LIMITS,
      onMessage: (entered) => {
        // The thread says nothing else but answers.
        if (entered !== undefined) onEntered(entered as EnteredRuns);
      },
      onLost,
    });
  }

  open(request: Omit<Extract<Request, { type: "open" }>, "type">): Promise<Opened> {
    return this.#thread.ask({ type: "open", ...request });
  }

  call(method: Method | "ping", parameters: readonly unknown[]): Promise<unknown> {
    return this.#thread.ask({ type: "call", method, parameters: parameters.map(compact) });
  }

  async mark(instanceId: string): Promise<void> {
    await this.#thread.ask({ type: "mark", instanceId });
  }

  /** Closes the connection after all earlier calls, then ends the thread. */
  async close(): Promise<void> {
    if (this.#thread.isEnded) return;
    try {
      await this.#thread.ask({ type: "close" });
    } finally {
      await this.#thread.end(new Error("the database is closed"));
    }
  }
}

/** Copies a view into its own buffer, because posting a view would copy the whole frame behind it. */
function compact(parameter: unknown): unknown {
  if (parameter instanceof Uint8Array) {
    const isWhole = parameter.byteLength === parameter.buffer.byteLength;
    return isWhole ? parameter : new Uint8Array(parameter);
  }
  if (Array.isArray(parameter)) return parameter.map(compact);
  if (parameter instanceof Map) return new Map([...parameter].map(([key, value]) => [key, compact(value)]));
  if (typeof parameter !== "object" || parameter === null) return parameter;
  if ("bytes" in parameter) return { ...parameter, bytes: compact(parameter.bytes) };
  if ("records" in parameter) return { ...parameter, records: compact(parameter.records) };
  return parameter;
}
