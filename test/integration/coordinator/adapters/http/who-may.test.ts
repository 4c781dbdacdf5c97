import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import { refusalsOf, withAccount, withCredentials } from "#test/kit/adversary/bad-input/credentials.ts";
import { httpWorldOf } from "#test/kit/adversary/bad-input/http-world.ts";
import { requestOf, withHeader, write } from "#test/kit/adversary/bad-input/request.ts";
import { inGentleOrder, tryEndpoint } from "#test/kit/adversary/bad-input/run-http.ts";
import { send } from "#test/kit/adversary/bad-input/send.ts";
import type { RawAnswer } from "#test/kit/adversary/raw-http.ts";
import { GOOD_ACCOUNT } from "#test/kit/worlds/accounts.ts";
import { openWholeShell, type WholeShell } from "#test/kit/worlds/whole-shell.ts";

/*
 * Every endpoint, asked by everyone with an account, against the table written by hand: it refuses those whom the table
 * refuses, with the right status, and nobody else.
 */

const nameOf = ({ method, path }: Endpoint) => `${method.toUpperCase()} ${path}`;

/** Answer to the good request by this account; of a write, with a body that nobody reads. */
async function answerFor(endpoint: Endpoint, world: WholeShell, account: string): Promise<RawAnswer> {
  const { good } = httpWorldOf(endpoint, world);
  const request = withAccount(requestOf(endpoint, write(good)), account);
  const asked = endpoint.method === "get" ? request : withHeader(request, "content-type", "text/plain");
  return send(world.shell.port, await withCredentials(asked, world.headersOf));
}

describe.each(["public", "invitation"] as const)("a task whose joining is %s", (joining) => {
  let world: WholeShell;
  beforeAll(async () => {
    world = await openWholeShell(joining);
  });
  afterAll(() => world.close());

  test("[W13] [X32] [X37] every endpoint refuses whom the table refuses, and nothing changes", async () => {
    let caseCount = 0;
    for (const endpoint of inGentleOrder(world.shell.endpoints)) {
      const tried = await tryEndpoint(endpoint, world, [17, 18, 19]);
      expect(tried.findings, nameOf(endpoint)).toEqual([]);
      caseCount += tried.caseCount;
    }
    expect(caseCount).toBeGreaterThan(10 * world.shell.endpoints.length);
  });

  test("[X37] every endpoint answers everyone else as it answers an admin who audits the project", async () => {
    const findings: string[] = [];
    let askedCount = 0;
    // A write that takes no body would be done.
    const endpoints = world.shell.endpoints.filter(
      ({ method, body }) => method === "get" || (method === "post" && body !== undefined),
    );
    for (const endpoint of endpoints) {
      world.rest();
      const { about } = httpWorldOf(endpoint, world);
      const allowed = world.accounts.filter(({ letter }) => refusalsOf(endpoint, about, letter) === null);
      // What only devices may, nobody is asked here.
      if (allowed.length <= 1) continue;
      const control = (await answerFor(endpoint, world, GOOD_ACCOUNT)).status;
      for (const { name } of allowed) {
        const { status } = await answerFor(endpoint, world, name);
        if (status !== control)
          findings.push(`${nameOf(endpoint)}, ${name}: ${status} instead of ${control}`);
        askedCount++;
      }
    }
    expect(findings).toEqual([]);
    expect(askedCount).toBeGreaterThan(5 * endpoints.length);
  });
});

test("[X4] [X32] no answer tells a stranger of a task by invitation what there is of it", async () => {
  const world = await openWholeShell("invitation");
  try {
    const { openRunId, overRunId, overRoundId, overSid, modelHash, things } = world;
    const secrets = [openRunId, overRunId, overRoundId, overSid, modelHash, ...Object.values(things)];
    /** Names of the endpoints whose answer to this account holds one of them. */
    const tellingTo = async (account: string): Promise<string[]> => {
      const telling: string[] = [];
      for (const endpoint of world.shell.endpoints.filter(({ method }) => method === "get")) {
        const { body } = await answerFor(endpoint, world, account);
        if (secrets.some((secret) => body.includes(secret))) telling.push(nameOf(endpoint));
      }
      world.rest();
      return telling;
    };
    // The control: whoever has a part in it is told.
    expect((await tellingTo(GOOD_ACCOUNT)).length).toBeGreaterThan(5);
    expect(await tellingTo("a researcher")).toContain("GET /api/v1/join-tokens");
    expect(await tellingTo("a join token of the task")).toContain("GET /api/v1/rounds/{roundId}");
    for (const { name, letter } of world.accounts)
      if (STRANGERS.includes(letter)) expect(await tellingTo(name), name).toEqual([]);
  } finally {
    await world.close();
  }
});

/** Letters of those who have no part in the project or in the task. */
const STRANGERS = "nwxop6!".split("");
