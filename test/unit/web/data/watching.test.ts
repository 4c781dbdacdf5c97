import { expect, test } from "vitest";
import { wireError } from "#shared/protocol/errors.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { ApiFailure } from "#web/data/api.ts";
import { keepWatching, RETURN_MS, type WatchBody, type WatchSocket } from "#web/data/watching.ts";

/* Live figures over a socket that does as it is told, and a clock that is set by hand. */

const RUN = { runId: "r".repeat(32) };
const OK = { ok: true };
const UNAVAILABLE = new ApiFailure("UNAVAILABLE", "The coordinator is starting.", "later");

class FakeSocket implements WatchSocket {
  connected = false;
  readonly asked: WatchBody[] = [];
  /** What the coordinator acknowledges, by kind of request; a promise that never settles is silence. */
  answers: { ticket: unknown; target: unknown } = { ticket: OK, target: OK };
  /** Called by `connect`. The coordinator lets it in at once. */
  #onConnect = () => {};
  #onDisconnect: (byServer: boolean) => void = () => {};
  onConnectError(): void {}
  onConnect(listener: () => void): void {
    this.#onConnect = listener;
  }
  onDisconnect(listener: (byServer: boolean) => void): void {
    this.#onDisconnect = listener;
  }
  connect(): void {
    this.connected = true;
    this.#onConnect();
  }
  disconnect(): void {
    this.end(false);
  }
  end(byServer: boolean): void {
    if (!this.connected) return;
    this.connected = false;
    this.#onDisconnect(byServer);
  }
  async watch(body: WatchBody): Promise<unknown> {
    this.asked.push(body);
    return "ticket" in body ? this.answers.ticket : this.answers.target;
  }
}

function open() {
  const clock = new ManualClock();
  const socket = new FakeSocket();
  const said: string[] = [];
  const tickets: { next: () => Promise<string> } = { next: async () => "t".repeat(64) };
  const end = keepWatching(
    RUN,
    { socket, ticket: () => tickets.next(), after: clock.after },
    {
      onLive: (again) => said.push(again ? "live again" : "live"),
      onLost: () => said.push("lost"),
      onEnded: () => said.push("ended"),
      onRefused: () => said.push("refused"),
    },
  );
  /** Lets every answer under way arrive. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, socket, said, tickets, end, settle };
}

test("[W27] figures are live once the coordinator has taken the ticket and the watch, not before", async () => {
  const { socket, said, settle } = open();
  socket.answers.target = new Promise(() => {});
  socket.connect();
  await settle();
  expect(socket.asked).toEqual([{ ticket: "t".repeat(64) }, RUN]);
  expect(said).toEqual([]);
});

test.each([
  ["ticket", { error: wireError("NOT_AUTHENTICATED") }],
  ["target", { error: wireError("RATE_LIMITED") }],
  ["target", undefined],
] as const)("[W27] a %s that is refused is not live, and is tried again", async (which, answer) => {
  const { clock, socket, said, settle } = open();
  socket.answers[which] = answer;
  socket.connect();
  await settle();
  expect(said).not.toContain("live");
  expect(said.at(-1)).toBe("lost");
  socket.answers = { ticket: OK, target: OK };
  clock.advance(RETURN_MS);
  await settle();
  expect(said.at(-1)).toBe("live");
});

test("[W27] one ticket that fails does not end it: the next is asked for, later each time", async () => {
  const { clock, socket, said, tickets, settle } = open();
  const good = tickets.next;
  tickets.next = () => Promise.reject(UNAVAILABLE);
  socket.connect();
  const waits: number[] = [];
  for (let failure = 0; failure < 8; failure++) {
    await settle();
    const from = clock.nowMs();
    expect(clock.fireNext()).toBe(true);
    waits.push(clock.nowMs() - from);
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  tickets.next = good;
  await settle();
  clock.fireNext();
  await settle();
  expect(said.at(-1)).toBe("live");
  // Once it was live, it is patient no longer.
  socket.end(true);
  clock.advance(RETURN_MS);
  await settle();
  expect(said.slice(-3)).toEqual(["ended", "lost", "live again"]);
});

test("[W27] what asking again will not mend is not asked again", async () => {
  const { clock, socket, said, settle } = open();
  socket.answers.target = { error: wireError("NOT_FOUND") };
  socket.connect();
  await settle();
  expect(said.at(-1)).toBe("refused");
  expect(socket.connected).toBe(false);
  expect(clock.nextMs).toBeNull();
});

test("[W27] a connection that breaks while it asks is left to the socket, which opens it again", async () => {
  const { clock, socket, said, tickets, settle } = open();
  let fail = (_failure: Error) => {};
  const good = tickets.next;
  tickets.next = () => new Promise((_, reject) => (fail = reject));
  socket.connect();
  socket.end(false);
  tickets.next = good;
  socket.connect();
  fail(UNAVAILABLE);
  await settle();
  expect(socket.connected).toBe(true);
  expect(said).toEqual(["lost", "live"]);
  expect(clock.nextMs).toBeNull();
});

test("[W27] nothing is tried again once the page is left", async () => {
  const { clock, socket, tickets, end, settle } = open();
  tickets.next = () => Promise.reject(UNAVAILABLE);
  socket.connect();
  await settle();
  end();
  clock.advance(60_000);
  await settle();
  expect(socket.connected).toBe(false);
});
