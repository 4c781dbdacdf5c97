import { expect, test } from "vitest";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";

/** Work that ends when told to. */
function steps(queue: SerialQueue) {
  const log: string[] = [];
  const piece = (name: string) => {
    let end = () => {};
    let fail = () => {};
    const work = new Promise<string>((resolve, reject) => {
      end = () => resolve(name);
      fail = () => reject(new Error(name));
    });
    const result = queue.run(() => {
      log.push(name);
      return work;
    });
    return { result, end, fail };
  };
  return { log, piece };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("work runs in order, one piece at a time", async () => {
  const { log, piece } = steps(new SerialQueue());
  const [first, second] = [piece("first"), piece("second")];
  second.end();
  await turn();
  expect(log).toEqual(["first"]);
  first.end();
  expect(await Promise.all([first.result, second.result])).toEqual(["first", "second"]);
  expect(log).toEqual(["first", "second"]);
});

test("a failure reaches only the caller that gave the work", async () => {
  const queue = new SerialQueue();
  const { piece } = steps(queue);
  const [first, second] = [piece("first"), piece("second")];
  first.fail();
  second.end();
  await expect(first.result).rejects.toThrow("first");
  expect(await second.result).toBe("second");
  await expect(
    queue.run(() => {
      throw new Error("at once");
    }),
  ).rejects.toThrow("at once");
  expect(await queue.run(() => 7)).toBe(7);
});

test("settles when all work given so far has ended, and is idle when nothing is left", async () => {
  const queue = new SerialQueue();
  const { piece } = steps(queue);
  expect(queue.isIdle).toBe(true);
  await queue.settled();
  const first = piece("first");
  let hasSettled = false;
  const settled = queue.settled().then(() => {
    hasSettled = true;
  });
  const second = piece("second");
  await turn();
  expect([hasSettled, queue.isIdle]).toEqual([false, false]);
  first.fail();
  await expect(first.result).rejects.toThrow("first");
  await settled;
  expect(queue.isIdle).toBe(false);
  second.end();
  await second.result;
  expect(queue.isIdle).toBe(true);
});
