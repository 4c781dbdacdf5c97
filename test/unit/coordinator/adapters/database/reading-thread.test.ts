import { expect, test } from "vitest";
import type { Pragmas } from "#coordinator/adapters/database/sqlite/connection.ts";
import type { Opened } from "#coordinator/adapters/database/sqlite/messages.ts";
import { ReadingThread } from "#coordinator/adapters/database/sqlite/reading-thread.ts";
import { present } from "#shared/kernel/assert.ts";

/* The reading thread ends and another takes its place; the test plays the threads. */

class PlayedThread {
  closed = false;
  /** If false, the thread never opens. */
  opens = true;
  readonly #onLost: (error: Error) => void;
  #rejectOpen: (error: Error) => void = () => {};

  constructor(onLost: (error: Error) => void) {
    this.#onLost = onLost;
  }

  open(): Promise<Opened> {
    if (this.opens) return Promise.resolve({ instanceId: "", pragmas: {} as Pragmas, position: 0 });
    return new Promise((_, reject) => {
      this.#rejectOpen = reject;
    });
  }

  async call(): Promise<unknown> {
    return this;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** Plays the end of its worker: pending calls reject, then the owner is told. */
  end(): void {
    const error = new Error("out of memory");
    this.#rejectOpen(error);
    this.#onLost(error);
  }
}

function played() {
  const threads: PlayedThread[] = [];
  const reader = new ReadingThread({
    start: (onLost) => {
      const thread = new PlayedThread(onLost);
      threads.push(thread);
      return thread;
    },
    request: { path: "", markPath: "", access: "read", projectId: "default" },
    log: undefined,
  });
  return { reader, threads, first: present(threads[0], "a thread") };
}

test("[R43] a thread that ends while it opens does not affect its successor", async () => {
  const { reader, threads, first } = played();
  first.opens = false;
  reader.open();
  const early = reader.call("ping", []).catch(() => "rejected");
  first.end();
  // The successor starts before the end of the first one has reached everyone.
  const next = reader.call("ping", []);
  expect(await early).toBe("rejected");
  expect(await reader.call("ping", [])).toBe(await next);
  expect(threads).toHaveLength(2);
  await reader.close();
  expect(threads.map(({ closed }) => closed)).toEqual([true, true]);
});

test("a spare that ends before it is opened is replaced, and the newest one is closed", async () => {
  const { reader, threads, first } = played();
  first.end();
  reader.open();
  expect(await reader.call("ping", [])).toBe(threads[1]);
  await reader.close();
  expect(threads.map(({ closed }) => closed)).toEqual([false, true]);
  await expect(reader.call("ping", [])).rejects.toThrow("closed");
});
