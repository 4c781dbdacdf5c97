import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SOCKET_ENDPOINTS } from "#coordinator/adapters/socket/list.ts";
import { KIND_NUMBERS, KINDS } from "#test/kit/adversary/bad-input/kinds.ts";
import { sayGood, socketWorldOf, tryMessage } from "#test/kit/adversary/bad-input/run-socket.ts";
import { socketCases } from "#test/kit/adversary/bad-input/socket-cases.ts";
import { openWholeShell, type WholeShell } from "#test/kit/worlds/whole-shell.ts";

/*
 * Thirty kinds of bad input in every message of every namespace, made from what each declares about itself, in front of
 * the real core: a typed refusal or the end of that connection, nothing changed. A new message needs no line here.
 */

const MESSAGES = SOCKET_ENDPOINTS.flatMap((endpoint) =>
  Object.keys(endpoint.messages).map((kind) => ({ name: `${endpoint.namespace} ${kind}`, endpoint, kind })),
);

let world: WholeShell;
beforeAll(async () => {
  world = await openWholeShell();
});
afterAll(() => world.close());

test.each(MESSAGES)("[W2] [W13] (1 to 30) $name", async ({ endpoint, kind }) => {
  const { findings, caseCount } = await tryMessage(endpoint, kind, world);
  expect(findings).toEqual([]);
  expect(caseCount).toBeGreaterThan(20);
  expect((await fetch(`${world.shell.url}/livez`)).status).toBe(200);
  // Nobody else is disturbed.
  expect(await sayGood(SOCKET_ENDPOINTS[0] as (typeof SOCKET_ENDPOINTS)[number], "hello", world)).toBe("");
});

test("each kind is tried with some message; no cell of the table is empty", () => {
  const rows = MESSAGES.map(({ endpoint, kind }) =>
    socketCases(endpoint, kind, socketWorldOf(endpoint, kind, world)),
  );
  const untried = KIND_NUMBERS.filter((kind) => rows.every((row) => "reason" in row[kind]));
  // refusals.test.ts and bad-input.test.ts have the handshakes.
  expect(untried.map((kind) => KINDS[kind])).toEqual(["headers that only a proxy may set"]);
  for (const row of rows) {
    for (const kind of KIND_NUMBERS) {
      const cell = row[kind];
      expect("reason" in cell ? cell.reason.length : cell.cases.length).toBeGreaterThan(0);
    }
  }
});

describe("control", () => {
  test("[W13] good messages are heard: accepted, or refused for what they say in this phase", async () => {
    const codes: Record<string, string | null> = {};
    for (const { name, endpoint, kind } of MESSAGES) {
      const own = await openWholeShell();
      try {
        codes[name] = await sayGood(endpoint, kind, own);
      } finally {
        await own.close();
      }
    }
    const accepted = Object.keys(codes).filter((name) => codes[name] === "");
    expect(accepted).toEqual(
      expect.arrayContaining(["/device hello", "/device check-in", "/dash run", "/dash all"]),
    );
    expect(Object.values(codes)).not.toContain("BAD_FRAME");
    expect(Object.values(codes)).not.toContain(null);
    expect(codes["/device complaint"]).toBe("BAD_SIGNATURE");
  });
});
