import type { Log } from "#coordinator/core/ports/ports.ts";
import { messageOf } from "../../system-errors.ts";
import type { Method } from "./messages.ts";
import type { StoreThread } from "./store-thread.ts";

type OpenRequest = Parameters<StoreThread["open"]>[0];
type Thread = Pick<StoreThread, "open" | "call" | "close">;

interface Current {
  readonly thread: Thread;
  /** Rejects if the thread cannot open the database. */
  readonly opened: Promise<unknown>;
}

interface ReadingThreadOptions {
  /** @param onLost  Called once if the thread ends by itself. */
  readonly start: (onLost: (error: Error) => void) => Thread;
  readonly request: OpenRequest;
  readonly log: Log | undefined;
}

/**
 * The reading thread. If it ends (for example, out of memory during a large export), its calls reject and the
 * next call starts another thread. The writing thread is not restarted: nobody knows whether its unanswered
 * calls were written.
 */
export class ReadingThread {
  readonly #options: ReadingThreadOptions;
  /** Started but not opened yet. */
  #spare: Thread | null;
  #current: Current | null = null;
  #isClosed = false;

  constructor(options: ReadingThreadOptions) {
    this.#options = options;
    this.#spare = this.#start();
  }

  /** Opens the thread's connection. Call it once the file exists. */
  open(): void {
    // If this fails, the first read reports it and tries again.
    this.#connect().opened.catch(() => undefined);
  }

  async call(method: Method | "ping", parameters: readonly unknown[]): Promise<unknown> {
    if (this.#isClosed) throw new Error("the database is closed");
    const { thread, opened } = this.#current ?? this.#connect();
    await opened;
    return thread.call(method, parameters);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#current?.opened.catch(() => undefined);
    const thread = this.#current?.thread ?? this.#spare;
    await thread?.close().catch(() => undefined);
  }

  #start(): Thread {
    const thread = this.#options.start((error) => {
      this.#options.log?.warn(
        { error: messageOf(error) },
        "the reading thread of the database ended; another takes its place",
      );
      this.#forget(thread);
    });
    return thread;
  }

  #connect(): Current {
    const thread = this.#spare ?? this.#start();
    this.#spare = null;
    const opened = thread.open(this.#options.request).catch(async (error: unknown) => {
      this.#forget(thread);
      await thread.close().catch(() => undefined);
      throw error;
    });
    this.#current = { thread, opened };
    return this.#current;
  }

  /** Leaves a newer thread in place. */
  #forget(thread: Thread): void {
    if (this.#spare === thread) this.#spare = null;
    if (this.#current?.thread === thread) this.#current = null;
  }
}
