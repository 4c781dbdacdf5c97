import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { tryMessage } from "#test/kit/adversary/bad-input/run-socket.ts";
import { FAULT, faultySocket } from "#test/kit/dummies/faulty-sockets.ts";
import { openWholeShell, type WholeShell } from "#test/kit/worlds/whole-shell.ts";

/* The checks of the thirty kinds find what they look for: a namespace with one planted fault at a time. */

vi.mock("#coordinator/adapters/socket/list.ts", async (original) => {
  const { SOCKET_ENDPOINTS } = await original<typeof import("#coordinator/adapters/socket/list.ts")>();
  const faulty = await import("#test/kit/dummies/faulty-sockets.ts");
  return { SOCKET_ENDPOINTS: [...SOCKET_ENDPOINTS, faulty.faultySocket] };
});

let world: WholeShell;
beforeAll(async () => {
  world = await openWholeShell();
});
afterAll(() => world.close());

const refusal = (code: string) => ({ error: { code, message: "no", retry: "never" } });

async function complaintsWith(fault: typeof FAULT.run): Promise<ReadonlySet<string>> {
  FAULT.run = fault;
  const { findings } = await tryMessage(faultySocket, "text", world);
  return new Set(findings.map(({ complaint }) => complaint));
}

test("[W2] a namespace that refuses everything is not complained about", async () => {
  expect(await complaintsWith((acknowledge) => acknowledge(refusal("BAD_MESSAGE")))).toEqual(new Set());
});

test("[W2] one that accepts everything, fails inside, or writes first is found", async () => {
  expect(await complaintsWith((acknowledge) => acknowledge({ ok: true }))).toContain("accepted");
  expect(await complaintsWith((acknowledge) => acknowledge(refusal("INTERNAL")))).toContain("INTERNAL");
  const writing = await complaintsWith((acknowledge) => {
    world.federation.db.settings.set("planted", String(Math.random()));
    acknowledge(refusal("BAD_MESSAGE"));
  });
  expect(writing).toEqual(new Set(["something changed"]));
});
