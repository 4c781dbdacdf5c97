import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openOverWorker } from "#client/adapters/participant-proxy.ts";
import type { FromWorker, ToWorker } from "#client/adapters/worker-rpc.ts";
import type { ParticipantEnd, ParticipantView } from "#client/index.ts";

/* The page's half of a participant, with a worker that the test plays. */

class PlayedWorker {
  readonly told: ToWorker[] = [];
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  onmessageerror: (() => void) | null = null;
  terminated = false;
  answers = true;
  held: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  postMessage(message: ToWorker): void {
    this.told.push(message);
    if (message.kind === "open") this.held = this.#hold(message.life);
    if (message.kind === "ping" && this.answers) this.say({ kind: "pong" });
  }
  say(data: FromWorker): void {
    this.onmessage?.({ data });
  }
  terminate(): void {
    this.terminated = true;
    this.#release();
  }
  /** Its end releases the lock, like the end of a real worker. */
  #hold(life: string): Promise<void> {
    return new Promise((resolve) => {
      void navigator.locks.request(life, () => {
        resolve();
        return new Promise<void>((release) => {
          this.#release = release;
        });
      });
    });
  }
}

const VIEW = { stage: "ready" } as ParticipantView;
const MINUTE = 60_000;
/** Fires what a window fires. */
const tab = new EventTarget();

async function opened() {
  const worker = new PlayedWorker();
  const opening = openOverWorker(worker as unknown as Worker, { coordinatorUrl: "http://x", task: "t" });
  await worker.held;
  worker.say({ kind: "opened", view: VIEW });
  const result = await opening;
  if (!result.ok) throw new Error(result.error.sentence);
  const ends: ParticipantEnd[] = [];
  result.value.onEnd((end) => void ends.push(end));
  return { worker, participant: result.value, ends };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", tab.addEventListener.bind(tab));
  vi.stubGlobal("removeEventListener", tab.removeEventListener.bind(tab));
  vi.stubGlobal("document", Object.assign(new EventTarget(), { visibilityState: "visible" }));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the page's half of a participant", () => {
  test("[T4] goes on for hours with a worker that answers, busy or not", async () => {
    const { worker, ends } = await opened();
    await vi.advanceTimersByTimeAsync(180 * MINUTE);
    expect(ends).toEqual([]);
    expect(worker.terminated).toBe(false);
  });

  test("[T4] ends a worker that does not answer, and rejects whoever still waits for it", async () => {
    const { worker, participant, ends } = await opened();
    worker.answers = false;
    const call = participant.pause();
    const refused = expect(call).rejects.toThrow("has not answered");
    await vi.advanceTimersByTimeAsync(MINUTE - 5_000);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ends).toMatchObject([{ type: "silent" }]);
    expect(worker.terminated).toBe(true);
    await refused;
    await expect(participant.pause()).rejects.toThrow("has not answered");
    // Listeners that subscribe later are told too.
    const late: ParticipantEnd[] = [];
    participant.onEnd((end) => void late.push(end));
    expect(late).toEqual(ends);
  });

  test("[T4] learns at once of a worker that is gone without notice", async () => {
    const { worker, ends } = await opened();
    worker.terminate();
    await expect.poll(() => ends).toMatchObject([{ type: "ended" }]);
  });

  test.each([
    ["a fault", (worker: PlayedWorker) => worker.onerror?.({ message: "x is not a function" }), "fault"],
    ["a message that cannot be read", (worker: PlayedWorker) => worker.onmessageerror?.(), "fault"],
    [
      "the end of its storage",
      (worker: PlayedWorker) =>
        worker.say({ kind: "ended", end: { type: "storage", sentence: "It was closed." } }),
      "storage",
    ],
  ] as const)("[T4] %s ends it, with a sentence", async (_, happen, type) => {
    const { worker, ends } = await opened();
    happen(worker);
    expect(ends).toMatchObject([{ type }]);
    expect(ends[0]?.sentence.endsWith(".")).toBe(true);
    expect(worker.terminated).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("[T4] a worker that never opens gives an error instead of waiting forever", async () => {
    const worker = new PlayedWorker();
    worker.answers = false;
    const opening = openOverWorker(worker as unknown as Worker, { coordinatorUrl: "http://x", task: "t" });
    await vi.advanceTimersByTimeAsync(4 * MINUTE);
    expect(await opening).toMatchObject({ ok: false, error: { type: "busy" } });
  });

  test("that is closed reports nothing more", async () => {
    const { worker, participant, ends } = await opened();
    await participant.close();
    worker.onerror?.({ message: "late" });
    expect(ends).toEqual([]);
    expect(worker.terminated).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("[W21] the worker hears of the page's network, until the page closes it", async () => {
  const { worker, participant } = await opened();
  const heard = () => worker.told.flatMap((message) => (message.kind === "network" ? [message.event] : []));
  tab.dispatchEvent(new Event("offline"));
  tab.dispatchEvent(new Event("online"));
  expect(heard()).toEqual(["offline", "online"]);
  await participant.close();
  tab.dispatchEvent(new Event("offline"));
  expect(heard()).toHaveLength(2);
});
