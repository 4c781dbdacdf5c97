import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Reader, ReadQueue } from "#coordinator/adapters/http/read-queue.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";

/* The queue of reads: who runs, who waits, who is told to come later. */

const BOUNDS = {
  ...{ atOnceMax: 1, atOnceMaxPerAddress: 1, waitingMax: 3, waitingMaxPerAddress: 2, waitMsMax: 10_000 },
  ...{ burst: 10, perSecond: 1 },
};
const reader = (address: string, cost = 1): Reader => ({
  ...{ address, cost, isGone: () => false, onGone: () => () => undefined, cut: () => undefined },
});

test("[W10] one address does not take all places, and one that left does not take any", async () => {
  const queue = new ReadQueue(new ManualClock(), BOUNDS);
  const order: string[] = [];
  let release = () => {};
  const first = queue.run(reader("a"), () => new Promise<void>((resolve) => (release = resolve)));
  const read = (name: string, who: Reader) =>
    queue.run(who, async () => {
      order.push(name);
    });
  const second = read("second", reader("a"));
  const left = read("left", { ...reader("a"), isGone: () => true });
  const busy = { ok: false, error: { type: "busy" } };
  expect(await read("third of a", reader("a"))).toEqual(busy);
  const other = read("other", reader("b"));
  // The queue is full, and a is in it twice: its newest makes room.
  const third = read("third", reader("c"));
  expect((await left).ok).toBe(false);
  // Now everybody waits once.
  expect(await read("full", reader("d"))).toEqual(busy);
  release();
  await Promise.all([first, second, other, third]);
  expect(order).toEqual(["second", "other", "third"]);
  await pause(10);
  expect(await read("later", reader("a"))).toEqual({ ok: true, value: undefined });
});

test("[W10] addresses of one IPv6 site share a part of the queue", async () => {
  const queue = new ReadQueue(new ManualClock(), BOUNDS);
  expect((await queue.enter(reader("2001:db8:1::"))).ok).toBe(true);
  const line = ["2001:db8:1:1::", "2001:db8:1:2::", "2001:db8:1:3::"].map((address) =>
    queue.enter(reader(address)),
  );
  const other = queue.enter(reader("2001:db8:2:1::"));
  expect(await line[2]).toEqual({ ok: false, error: { type: "busy" } });
  expect(await queue.enter(reader("2001:db8:1:4::"))).toEqual({ ok: false, error: { type: "busy" } });
  expect(await Promise.race([...line.slice(0, 2), other, pause(10, "waiting")])).toBe("waiting");
});

test("[W10] an address that holds many places for long loses some to those that hold fewer", async () => {
  const clock = new ManualClock();
  const bounds = { ...BOUNDS, atOnceMax: 4, atOnceMaxPerAddress: 4, waitingMax: 10, cutAfterMs: 60_000 };
  const queue = new ReadQueue(clock, bounds);
  const cut: string[] = [];
  const enter = async (name: string) => {
    let leave = () => {};
    const cutIt = () => {
      cut.push(name);
      leave();
    };
    const place = await queue.enter({ ...reader(name.charAt(0)), cut: cutIt });
    if (place.ok) leave = place.value.leave;
    return place.ok;
  };
  for (const name of ["a1", "a2", "a3", "a4"]) expect(await enter(name)).toBe(true);
  clock.advance(59_000);
  const early = enter("b1");
  await pause(10);
  expect(cut).toEqual([]);
  clock.advance(1_000);
  const late = enter("b2");
  expect([await early, await late, await enter("c1")]).toEqual([true, true, true]);
  expect(cut).toEqual(["a1", "a2", "a3"]);
  // Those of b have only begun.
  const waiting = enter("d1");
  await pause(10);
  expect(cut.length).toBe(3);
  clock.advance(60_000);
  void enter("e1");
  expect(await waiting).toBe(true);
  await pause(10);
  // Each has one, so nobody makes room for another.
  expect(cut).toEqual(["a1", "a2", "a3", "b1"]);
});

test("[W10] a reader that is gone leaves the queue at once", async () => {
  const queue = new ReadQueue(new ManualClock(), { ...BOUNDS, waitingMax: 1 });
  expect((await queue.enter(reader("a"))).ok).toBe(true);
  let isGone = false;
  let go = () => {};
  const onGone = (listener: () => void) => {
    go = listener;
    return () => undefined;
  };
  const waiting = queue.enter({ ...reader("b"), isGone: () => isGone, onGone });
  isGone = true;
  go();
  expect(await waiting).toEqual({ ok: false, error: { type: "gone" } });
  expect(await Promise.race([queue.enter(reader("c")), pause(10, "waiting")])).toBe("waiting");
});

test("[W10] addresses take turns, and each has a limited number of places", async () => {
  const bounds = { ...BOUNDS, atOnceMax: 2, waitingMax: 10, waitingMaxPerAddress: 5 };
  const queue = new ReadQueue(new ManualClock(), bounds);
  const order: string[] = [];
  const leaving: (() => void)[] = [];
  const enter = async (name: string) => {
    const place = await queue.enter(reader(name.charAt(0)));
    order.push(name);
    if (place.ok) leaving.push(place.value.leave);
  };
  const all = ["a1", "a2", "a3", "b1", "c1", "c2"].map(enter);
  // The second place does not go to the address that has the first.
  await expect.poll(() => order).toEqual(["a1", "b1"]);
  for (let left = 0; left < 6; left++) {
    await expect.poll(() => leaving.length).toBeGreaterThan(left);
    // Leaving twice counts once.
    leaving[left]?.();
    leaving[left]?.();
  }
  await Promise.all(all);
  expect(order).toEqual(["a1", "b1", "a2", "c1", "a3", "c2"]);
});

test("[W10] a reader that has waited too long is told so, and its place in the queue is free", async () => {
  const queue = new ReadQueue(new ManualClock(), { ...BOUNDS, waitMsMax: 20, waitingMaxPerAddress: 1 });
  const first = await queue.enter(reader("a"));
  const busy = { ok: false, error: { type: "busy" } };
  for (let tries = 0; tries < 3; tries++) expect(await queue.enter(reader("a"))).toEqual(busy);
  if (first.ok) first.value.leave();
  await pause(10);
  expect((await queue.enter(reader("a"))).ok).toBe(true);
});

test("[W10] a read that fails frees its place", async () => {
  const queue = new ReadQueue(new ManualClock(), BOUNDS);
  await expect(
    queue.run(reader("a"), async () => {
      throw new Error("planted");
    }),
  ).rejects.toThrow("planted");
  await pause(10);
  expect((await queue.run(reader("a"), async () => 1)).ok).toBe(true);
  expect(await queue.run(reader("a", 11), async () => 1)).toEqual({
    ok: false,
    error: { type: "too-many" },
  });
});
