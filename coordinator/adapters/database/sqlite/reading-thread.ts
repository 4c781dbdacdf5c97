import type { Log } from "#coordinator/core/ports.ts";
import { messageOf } from "../../system-errors.ts";
import type { Method } from "./messages.ts";
import type { StoreThread } from "./store-thread.ts";

type OpenRequest = Parameters<StoreThread["open"]>[0];
type Thread = Pick<StoreThread, "open" | "call" | "close">;

interface Current {
  readonly thread: Thread;
  /** Rejects if it cannot be opened. */
  readonly opened: Promise<unknown>;
}

interface ReadingThreadOptions {
  /** @param onLost  Called once if the thread ends on its own. */
  readonly start: (onLost: (error: Error) => void) => Thread;
  readonly request: OpenRequest;
  readonly log: Log | undefined;
}

/**
 * The reading thread. It holds nothing, so if it ends (out of memory over a large export, say) its calls reject and the
 * next one starts another. The writing thread is not started again: what it had not answered may be written or not.
 */
export class ReadingThread {
  readonly #options: ReadingThreadOptions;
  /** Started, and not open yet. */
  #spare: Thread | null;
  #current: Current | null = null;
  #isClosed = false;

  constructor(options: ReadingThreadOptions) {
    this.#options = options;
    this.#spare = this.#start();
  }

  /** Once the file is there. */
  open(): void {
    // Whoever reads first hears of it if it fails, and tries again.
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

  /** A newer thread may have taken its place already, and stays. */
  #forget(thread: Thread): void {
    if (this.#spare === thread) this.#spare = null;
    if (this.#current?.thread === thread) this.#current = null;
  }
}
