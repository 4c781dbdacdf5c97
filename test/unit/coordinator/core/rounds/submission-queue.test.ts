import { expect, test } from "vitest";
import type { Submission } from "#coordinator/core/rounds/submission.ts";
import { SubmissionQueue } from "#coordinator/core/rounds/submission-queue.ts";

const left = (identity: string): Submission => ({ event: { type: "left", identity } });
const nameOf = ({ event }: Submission) => ("identity" in event ? event.identity : "");

/** A queue whose first batch ends when `release` is called. */
function slowQueue(fails: (name: string) => boolean = () => false) {
  const batches: string[][] = [];
  let release = () => {};
  const first = new Promise<void>((resolve) => {
    release = resolve;
  });
  const queue = new SubmissionQueue(async (batch) => {
    const names = batch.map(nameOf);
    batches.push(names);
    await first;
    if (names.some(fails)) throw new Error("a fault");
    return names.map(() => ({ type: "taken" }));
  });
  return { batches, queue, release };
}

test("[R19] what comes during a write is taken together after it, in order", async () => {
  const { batches, queue, release } = slowQueue();
  const answers = [queue.submit(left("a"))];
  await Promise.resolve();
  for (const name of ["b", "c", "d"]) answers.push(queue.submit(left(name)));
  let isAnswered = false;
  void answers[3]?.then(() => {
    isAnswered = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect([batches, isAnswered]).toEqual([[["a"]], false]);
  release();
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 4 }, () => ({ type: "taken" })));
  expect(batches).toEqual([["a"], ["b", "c", "d"]]);
});

test("[R19] a fault is the fault of one submission, not of those beside it", async () => {
  const { batches, queue, release } = slowQueue((name) => name === "bad");
  const answers = ["a", "bad", "b"].map((name) => queue.submit(left(name)));
  release();
  const outcomes = await Promise.allSettled(answers);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(batches).toEqual([["a", "bad", "b"], ["a"], ["bad"], ["b"]]);
  await queue.settled();
});

test("a batch has a bound, and `settled` waits for all of them", async () => {
  const { batches, queue, release } = slowQueue();
  release();
  let answered = 0;
  for (let index = 0; index < 200; index++)
    void queue.submit(left(`${index}`)).then(() => {
      answered += 1;
    });
  await queue.settled();
  expect(answered).toBe(200);
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(64);
  expect(batches.flat()).toEqual(Array.from({ length: 200 }, (_, index) => `${index}`));
});
