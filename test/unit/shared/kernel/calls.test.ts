import { MessageChannel } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { type Answer, answerCall, type Call, Calls } from "#shared/kernel/calls.ts";

type Request = string | Uint8Array<ArrayBuffer> | (() => void);

const channels: MessageChannel[] = [];
afterEach(() => {
  for (const { port1 } of channels.splice(0)) port1.close();
});

/** Two sides over a real channel. `work` answers. */
function connect(work: (request: Request) => unknown) {
  const channel = new MessageChannel();
  channels.push(channel);
  const { port1, port2 } = channel;
  const calls = new Calls<Request>((call, handedOver) => port1.postMessage(call, [...handedOver]));
  port1.on("message", (answer: Answer<unknown>) => calls.hear(answer));
  const handOver = (value: unknown) => (value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []);
  const post = (answer: Answer<unknown>, handedOver: readonly ArrayBuffer[]) =>
    port2.postMessage(answer, [...handedOver]);
  port2.on("message", (call: Call<Request>) => void answerCall(call, work, post, handOver));
  return calls;
}

test("each call gets its own answer, in whatever order they come", async () => {
  const held: (() => void)[] = [];
  const calls = connect(
    (request) => new Promise((resolve) => held.push(() => resolve(`${String(request)}!`))),
  );
  const asked = [calls.ask("a"), calls.ask("b"), calls.ask("c")];
  while (held.length < 3) await new Promise((resolve) => setImmediate(resolve));
  for (const answer of held.reverse()) answer();
  expect(await Promise.all(asked)).toEqual(["a!", "b!", "c!"]);
});

test("buffers move with a call and with its answer", async () => {
  const kept: Uint8Array[] = [];
  const calls = connect((request) => {
    kept.push(request as Uint8Array);
    return request;
  });
  const bytes = Uint8Array.of(1, 2, 3);
  expect(await calls.ask(bytes, [bytes.buffer])).toEqual(Uint8Array.of(1, 2, 3));
  expect([bytes.byteLength, kept[0]?.byteLength]).toEqual([0, 0]);
});

test("an error crosses with its name and codes", async () => {
  const calls = connect(() => {
    throw Object.assign(new RangeError("disk is full"), { code: "ENOSPC", errcode: 13 });
  });
  const error = await calls.ask("write").catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: "RangeError", message: "disk is full", code: "ENOSPC", errcode: 13 });
});

test("no string is made of a thrown value that is not an error", async () => {
  let asked = 0;
  const calls = connect(() => {
    throw { toString: () => `${++asked}` };
  });
  await expect(calls.ask("x")).rejects.toThrow("a value other than an Error was thrown");
  expect(asked).toBe(0);
});

test("a request or an answer that cannot be cloned rejects, and leaves nothing behind", async () => {
  const calls = connect((request) => (request === "function" ? () => {} : request));
  await expect(calls.ask(() => {})).rejects.toThrow(/could not be cloned/);
  await expect(calls.ask("function")).rejects.toThrow(/could not be cloned/);
  expect(await calls.ask("next")).toBe("next");
});

test("[E3] when the other side has ended, pending calls reject, and later ones too", async () => {
  const calls = connect(() => new Promise(() => {}));
  const pending = [calls.ask("a"), calls.ask("b")];
  calls.end(new Error("the worker ended"));
  calls.end(new Error("too late"));
  for (const call of [...pending, calls.ask("c")]) await expect(call).rejects.toThrow("the worker ended");
  calls.hear({ kind: "done", id: 1, value: "late" });
});
