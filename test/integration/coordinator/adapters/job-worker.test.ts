import type { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { openJobWorker } from "#coordinator/adapters/job-worker.ts";
import type { TestJob } from "#test/kit/children/job-worker.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";

/* The kind of thread that evaluates models, and that makes them. */

const url = new URL("../../../kit/children/job-worker.ts", import.meta.url);
const workers: Worker[] = [];
const note = (worker: Worker) => workers.push(worker);
const PATIENCE_MS = 4_000;

/** Silence is measured with a clock that the test sets. */
function open(jobsAtOnce = 1) {
  process.on("worker", note);
  const clock = new ManualClock();
  const time = { clock, after: clock.after };
  const options = { name: "the worker", patienceMs: PATIENCE_MS, jobsAtOnce, time };
  const worker = openJobWorker<TestJob, number>(url, options);
  /** In steps, like timers. */
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) clock.advance(250);
  };
  return { worker, pass };
}
afterEach(() => {
  process.off("worker", note);
  workers.length = 0;
});

test.each(["loop", "never"] as const)(
  "[E3] a worker that hangs (%s) is ended and its job fails; another worker does the jobs behind it",
  async (hang) => {
    const { worker, pass } = open();
    expect(await worker.ask("answer", [])).toBe(1);
    const jobs = [worker.ask(hang, []), worker.ask("answer", [])];
    pass(PATIENCE_MS);
    const outcomes = await Promise.allSettled(jobs);
    expect(outcomes).toEqual([
      {
        status: "rejected",
        reason: expect.objectContaining({
          message: "the worker gave no sign of life for 4 s and was ended",
        }),
      },
      { status: "fulfilled", value: 1 },
    ]);
    expect(workers).toHaveLength(2);
    // An ended thread no longer has an id.
    expect(workers[0]?.threadId).toBe(-1);
    await worker.close();
  },
);

test.each(["loop", "exit"] as const)(
  "[E3] a worker that had several jobs (%s) fails the current one; another worker does the others, except those whose buffers are lost",
  async (end) => {
    const { worker, pass } = open(4);
    expect(await worker.ask("answer", [])).toBe(1);
    const lost = [new ArrayBuffer(8)];
    const jobs = [worker.ask(end, []), worker.ask("answer", []), worker.ask("answer", lost)];
    jobs.push(worker.ask("answer", []), worker.ask("answer", []));
    if (end === "loop") pass(PATIENCE_MS);
    const outcomes = await Promise.allSettled(jobs);
    expect(outcomes.map(({ status }) => status)).toEqual([
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    expect(workers).toHaveLength(2);
    await worker.close();
  },
);

test("[E3] a worker that takes longer than the time limit and reports progress is not ended", async () => {
  const { worker, pass } = open();
  const asked = worker.ask("beat", []);
  workers[0]?.on("message", () => pass(PATIENCE_MS / 2));
  expect(await asked).toBe(30);
  expect(workers).toHaveLength(1);
  await worker.close();
});

test("[E3] a job that fails or ends its worker affects no other job", async () => {
  const { worker } = open();
  const jobs = [worker.ask("fail", []), worker.ask("exit", []), worker.ask("answer", [])];
  const outcomes = await Promise.allSettled(jobs);
  expect(
    outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.message : outcome.value)),
  ).toEqual(["as it was told", "the worker ended with code 3", 1]);
  await worker.close();
});

test("a close rejects running and waiting jobs", async () => {
  const { worker } = open();
  const outcomes = Promise.allSettled([worker.ask("loop", []), worker.ask("answer", [])]);
  await worker.close();
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: "rejected", reason: { message: "the worker is closed" } });
  await expect(worker.ask("answer", [])).rejects.toThrow(/closed/);
});
