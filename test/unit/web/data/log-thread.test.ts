import { expect, test, vi } from "vitest";
import { ApiFailure } from "#web/data/api.ts";
import type { FromLogWorker, ToLogWorker } from "#web/data/log-messages.ts";
import { LogThread, type WorkerLike } from "#web/data/log-thread.ts";

/** Workers that answer as the test says. */
function workers() {
  const opened: (WorkerLike & { readonly sent: ToLogWorker[]; say(message: FromLogWorker): void })[] = [];
  const thread = new LogThread(() => {
    const sent: ToLogWorker[] = [];
    const worker = {
      sent,
      postMessage: (message: ToLogWorker) => void sent.push(message),
      terminate: vi.fn(),
      onmessage: null,
      onerror: null,
      onmessageerror: null,
      say(this: WorkerLike, message: FromLogWorker) {
        this.onmessage?.call(this as Worker, new MessageEvent("message", { data: message }));
      },
    };
    opened.push(worker);
    return worker;
  });
  return { thread, opened };
}

const failed = (name: string, message: string, code?: string): FromLogWorker => ({
  kind: "failed",
  id: 1,
  error: { name, message, stack: undefined, code, errcode: undefined },
});

test("[V18] a question is put to one worker, which is opened for the first, and progress is heard", async () => {
  const { thread, opened } = workers();
  expect(opened).toHaveLength(0);
  const path = thread.ask("path", { index: 3, seen: null });
  const heard: unknown[] = [];
  const stop = thread.onProgress((progress) => heard.push(progress));
  const [worker] = opened;
  worker?.say({ kind: "progress", progress: { done: 1, total: 2 } });
  stop();
  worker?.say({ kind: "progress", progress: { done: 2, total: 2 } });
  worker?.say({ kind: "done", id: 1, value: null });
  expect(await path).toBeNull();
  expect(heard).toEqual([{ done: 1, total: 2 }]);
  thread.enough();
  expect(worker?.sent.map(({ kind }) => kind)).toEqual(["call", "enough"]);
  expect(opened).toHaveLength(1);
});

test("[V18] what the worker could not do has the code and sentence that it had there", async () => {
  for (const [given, code, retry] of [
    [failed("ApiFailure", "There is no such round.", "NOT_FOUND"), "NOT_FOUND", "never"],
    [failed("ApiFailure", "Too many at once.", "RATE_LIMITED"), "RATE_LIMITED", "later"],
    [failed("ApiFailure", "What?", "__proto__"), "BAD_ANSWER", "later"],
  ] as const) {
    const { thread, opened } = workers();
    const asked = thread.ask("look", { seen: null });
    opened[0]?.say(given);
    const error = await asked.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiFailure);
    expect(error).toMatchObject({ code, retry });
  }
});

test("[V18] a worker that is lost settles every question, and the next begins anew", async () => {
  const { thread, opened } = workers();
  const asked = [thread.ask("look", { seen: null }), thread.ask("path", { index: 0, seen: null })];
  opened[0]?.onmessageerror?.call(opened[0] as never, new MessageEvent("messageerror"));
  for (const one of asked)
    await expect(one).rejects.toThrow("The check could not go on (a message could not be read). Try again.");
  expect(opened[0]?.terminate).toHaveBeenCalled();
  const again = thread.ask("path", { index: 0, seen: null });
  expect(opened).toHaveLength(2);
  opened[1]?.say({ kind: "done", id: 1, value: null });
  expect(await again).toBeNull();
});
