import type { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { openJobWorker } from "#coordinator/adapters/job-worker.ts";
import type { TestJob } from "#test/kit/children/job-worker.ts";

/* The thread that judges models is one of these, and so is the one that makes them. */

const url = new URL("../kit/children/job-worker.ts", import.meta.url);
const workers: Worker[] = [];
const note = (worker: Worker) => workers.push(worker);

function open(patienceMs: number) {
  process.on("worker", note);
  return openJobWorker<TestJob, number>(url, { name: "the worker", patienceMs });
}
afterEach(() => {
  process.off("worker", note);
  workers.length = 0;
});

test.each(["loop", "never"] as const)(
  "[E3] a worker that hangs (%s) is ended, its job fails, and those behind it are done by another",
  async (hang) => {
    const worker = open(2_000);
    const jobs = [worker.ask("answer", []), worker.ask(hang, []), worker.ask("answer", [])];
    const outcomes = await Promise.allSettled(jobs);
    expect(outcomes).toEqual([
      { status: "fulfilled", value: 1 },
      {
        status: "rejected",
        reason: expect.objectContaining({
          message: "the worker gave no sign of life for 2 s and was ended",
        }),
      },
      { status: "fulfilled", value: 1 },
    ]);
    expect(workers).toHaveLength(2);
    // An ended thread has no id any more.
    expect(workers[0]?.threadId).toBe(-1);
    await worker.close();
  },
);

test("[E3] a worker that takes longer than the patience and says so is not ended", async () => {
  const worker = open(2_000);
  expect(await worker.ask("beat", [])).toBe(30);
  expect(workers).toHaveLength(1);
  await worker.close();
});

test("[E3] a job that fails or ends its worker takes no other with it", async () => {
  const worker = open(60_000);
  const jobs = [worker.ask("fail", []), worker.ask("exit", []), worker.ask("answer", [])];
  const outcomes = await Promise.allSettled(jobs);
  expect(
    outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.message : outcome.value)),
  ).toEqual(["as it was told", "the worker ended with code 3", 1]);
  await worker.close();
});

test("a close rejects what is under way and what waits", async () => {
  const worker = open(60_000);
  const outcomes = Promise.allSettled([worker.ask("loop", []), worker.ask("answer", [])]);
  await worker.close();
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: "rejected", reason: { message: "the worker is closed" } });
  await expect(worker.ask("answer", [])).rejects.toThrow(/closed/);
});
