import { type ResourceLimits, Worker } from "node:worker_threads";
import {
  errorFromParts,
  type Method,
  type NumberedRequest,
  type Opened,
  type Reply,
  type Request,
} from "./messages.ts";

/** A store's heap is small, except while a large round's log is read. */
const LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512, stackSizeMb: 2 };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A thread with one connection. If it ends by itself, every call rejects from then on and `onLost` is told once. */
export class StoreThread {
  readonly #worker = new Worker(new URL("./store.worker.ts", import.meta.url), { resourceLimits: LIMITS });
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;
  #ended: Error | undefined;

  constructor(onLost: (error: Error) => void) {
    const lose = (error: Error) => {
      if (this.#ended !== undefined) return;
      this.#end(error);
      onLost(error);
    };
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    this.#worker.on("error", lose);
    this.#worker.on("exit", (code) => lose(new Error(`a thread of the database ended with code ${code}`)));
  }

  async open(request: Omit<Extract<Request, { type: "open" }>, "type">): Promise<Opened> {
    return (await this.#ask({ type: "open", ...request })) as Opened;
  }

  call(method: Method | "ping", parameters: readonly unknown[]): Promise<unknown> {
    return this.#ask({ type: "call", method, parameters: parameters.map(compact) });
  }

  async mark(instanceId: string): Promise<void> {
    await this.#ask({ type: "mark", instanceId });
  }

  /** Closes the connection after the calls before, then ends the thread. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    try {
      await this.#ask({ type: "close" });
    } finally {
      this.#end(new Error("the database is closed"));
      await this.#worker.terminate();
    }
  }

  #ask(request: Request): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, request } satisfies NumberedRequest);
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.number);
    this.#waiting.delete(reply.number);
    if (reply.ok) waiting?.resolve(reply.value);
    else waiting?.reject(errorFromParts(reply.error));
  }

  #end(error: Error): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Bytes as a buffer of their own: of a view into a frame the whole frame would be copied to the thread. */
function compact(parameter: unknown): unknown {
  if (parameter instanceof Uint8Array) {
    const isWhole = parameter.byteLength === parameter.buffer.byteLength;
    return isWhole ? parameter : new Uint8Array(parameter);
  }
  if (parameter instanceof Map) return new Map([...parameter].map(([key, value]) => [key, compact(value)]));
  if (typeof parameter === "object" && parameter !== null && "bytes" in parameter)
    return { ...parameter, bytes: compact(parameter.bytes) };
  return parameter;
}
