import { EventEmitter } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { cutWhenLate } from "#coordinator/adapters/http/gate.ts";

afterEach(() => {
  vi.useRealTimers();
});

type Context = Parameters<typeof cutWhenLate>[0];
function answerOf(closed: boolean) {
  const outgoing = Object.assign(new EventEmitter(), { closed, destroy: vi.fn() });
  return { outgoing, context: { env: { outgoing } } as unknown as Context };
}

test("[W10] the deadline of a download holds nothing of a peer that has left, before or after it was set", () => {
  vi.useFakeTimers();
  cutWhenLate(answerOf(true).context, 1);
  expect(vi.getTimerCount()).toBe(0);
  const { outgoing, context } = answerOf(false);
  cutWhenLate(context, 1);
  expect(vi.getTimerCount()).toBe(1);
  outgoing.emit("close");
  expect(vi.getTimerCount()).toBe(0);
});
