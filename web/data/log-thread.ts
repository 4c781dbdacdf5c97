import { type SeenLog, seenLogSchema } from "#shared/audit/look.ts";
import { Calls } from "#shared/kernel/calls.ts";
import { ERROR_CODES } from "#shared/protocol/errors.ts";
import { ApiFailure } from "./api.ts";
import type {
  FromLogWorker,
  LogAsk,
  LogCallName,
  LogCalls,
  LookView,
  ReadProgress,
  ToLogWorker,
} from "./log-messages.ts";
import { keptStorage } from "./storage.ts";

/*
 * The page's half of the audit's worker. It remembers what this browser saw of the log, which a worker cannot.
 */

/** A worker, or what stands for it in a test. */
export type WorkerLike = Pick<
  Worker,
  "postMessage" | "terminate" | "onmessage" | "onerror" | "onmessageerror"
>;

export class LogThread {
  readonly #open: () => WorkerLike;
  #worker: WorkerLike | null = null;
  #calls: Calls<LogAsk> | null = null;
  readonly #listeners = new Set<(progress: ReadProgress) => void>();

  constructor(open: () => WorkerLike) {
    this.#open = open;
  }

  /** @throws ApiFailure, or an error that says that the worker could not be started. */
  async ask<Name extends LogCallName>(name: Name, ask: LogCalls[Name][0]): Promise<LogCalls[Name][1]> {
    try {
      // The name and the question are of one row of the table.
      return await this.#started().ask<LogCalls[Name][1]>({ name, ask } as LogAsk);
    } catch (error) {
      throw asFailure(error);
    }
  }

  /** @returns Stops listening. */
  onProgress(listener: (progress: ReadProgress) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Ends the reading of entries that is under way: its audit goes on with what was read. */
  enough(): void {
    this.#tell({ kind: "enough" });
  }

  #tell(message: ToLogWorker): void {
    this.#worker?.postMessage(message);
  }

  #started(): Calls<LogAsk> {
    if (this.#calls !== null) return this.#calls;
    const worker = this.#open();
    const calls = new Calls<LogAsk>((call) => worker.postMessage(call satisfies ToLogWorker));
    const lose = (reason: string) =>
      this.#end(new ApiFailure("NO_ANSWER", `The check could not go on (${reason}). Try again.`, "now"));
    worker.onerror = ({ message }) => lose(message || "its worker could not be started");
    worker.onmessageerror = () => lose("a message could not be read");
    worker.onmessage = ({ data }: MessageEvent<FromLogWorker>) => {
      if (data.kind === "progress") for (const listener of this.#listeners) listener(data.progress);
      else calls.hear(data);
    };
    this.#worker = worker;
    this.#calls = calls;
    return calls;
  }

  #end(reason: Error): void {
    this.#worker?.terminate();
    this.#calls?.end(reason);
    this.#worker = null;
    this.#calls = null;
  }
}

/** What the worker threw, with the code that an `ApiFailure` had there. */
function asFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ApiFailure || error.name !== "ApiFailure") return error;
  const { code } = error as { readonly code?: unknown };
  const known = [...ERROR_CODES, "NO_ANSWER", "BAD_ANSWER"] as const;
  const named = known.find((one) => one === code) ?? "BAD_ANSWER";
  return new ApiFailure(named, error.message, named === "NOT_FOUND" ? "never" : "later");
}

/** One a page, started when it is first asked. */
export const logThread = new LogThread(
  () => new Worker(new URL("./log.worker.ts", import.meta.url), { type: "module" }),
);

const SEEN_KEY = "chorus.log-seen";

/** What this browser saw of the log last; null if nothing, or if it keeps nothing. */
export function lastSeen(): SeenLog | null {
  const text = keptStorage()?.getItem(SEEN_KEY) ?? null;
  if (text === null) return null;
  try {
    const parsed = seenLogSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Keeps what a look saw, unless something contradicts it. */
export function remember({ remember: seen }: LookView): void {
  if (seen === null) return;
  try {
    keptStorage()?.setItem(SEEN_KEY, JSON.stringify(seen));
  } catch {
    // A full or blocked storage keeps nothing; the next look is a first one.
  }
}

/** Both checkpoints of a contradiction, as a file for whoever looks into it. */
export function contradictionFile({ seen, now }: LookView, contradiction: string | null): string {
  return `${JSON.stringify({ contradiction, before: seen, now }, null, 2)}\n`;
}
