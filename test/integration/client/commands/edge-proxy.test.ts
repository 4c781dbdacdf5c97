import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConnectProxy, openConnectProxy } from "#test/kit/connect-proxy.ts";
import { type EdgeFederation, openEdgeFederation } from "#test/kit/worlds/edge-federation.ts";

/* Edges behind a proxy that wants a password, with a certificate of an authority that only they trust. */

const PASSWORD = "correct: horse@staple/%";
const EDGES = 3;

describe.each(["own", null] as const)("behind a proxy, a coordinator with tls %j", (tls) => {
  let proxy: ConnectProxy;
  let federation: EdgeFederation;
  const variable = tls === null ? "HTTP_PROXY" : "HTTPS_PROXY";
  const trust = (): Record<string, string> => {
    const path = federation.running.authority?.path;
    return path === undefined ? {} : { NODE_EXTRA_CA_CERTS: path };
  };
  beforeAll(async () => {
    proxy = await openConnectProxy("ada", PASSWORD);
    federation = await openEdgeFederation(EDGES, tls);
  });
  afterAll(async () => {
    await federation?.close();
    await proxy?.close();
  });

  test("[O22] an edge takes part in a round, everything in tunnels", async () => {
    const through = federation.start({ env: { ...trust(), [variable]: proxy.url("ada", PASSWORD) } });
    const excepted = federation.start({
      env: { ...trust(), [variable]: proxy.url("ada", "wrong"), NO_PROXY: "localhost" },
    });
    const direct = federation.start({ env: trust() });
    const run = await federation.round();
    expect(run.state).toBe("completed");
    for (const edge of [through, excepted, direct])
      await expect.poll(() => edge.output()).toContain(`in the sum, one of ${EDGES}`);
    const target = new URL(federation.running.url).host;
    expect(new Set(proxy.tunnels)).toEqual(new Set([target]));
    // At least one for requests and one for the WebSocket.
    expect(proxy.tunnels.length).toBeGreaterThan(1);
    expect(proxy.refused).toEqual([]);
    expect(through.output()).not.toContain("horse");
  });
});

describe("a proxy that cannot be used", () => {
  let proxy: ConnectProxy;
  let federation: EdgeFederation;
  beforeAll(async () => {
    proxy = await openConnectProxy("ada", PASSWORD, () => false);
    federation = await openEdgeFederation(EDGES + 2, null);
  });
  afterAll(async () => {
    await federation?.close();
    await proxy?.close();
  });

  test.each([
    [
      "a wrong password",
      () => proxy.url("ada", "hunter2"),
      3,
      /does not accept the name and password in HTTP_PROXY/,
    ],
    [
      "a proxy that forbids the target",
      () => proxy.url("ada", PASSWORD),
      3,
      /does not connect to \S+ \(403\)/,
    ],
    [
      "no proxy at that address",
      () => "http://ada:hunter2@127.0.0.1:9",
      3,
      /The proxy 127\.0\.0\.1:9 of HTTP_PROXY cannot be reached \(ECONNREFUSED\)/,
    ],
    ["a proxy without a scheme", () => "ada:hunter2@127.0.0.1:9", 2, /HTTP_PROXY is not like http:/],
    ["another kind of proxy", () => "socks5://ada:hunter2@127.0.0.1:9", 2, /HTTP_PROXY is not like http:/],
  ])("[O22] %s is said in a sentence without its password", async (_name, url, code, sentence) => {
    const edge = federation.start({ env: { HTTP_PROXY: url() } });
    expect(await edge.ended).toBe(code);
    expect(edge.output()).toMatch(sentence);
    expect(edge.output()).not.toMatch(/hunter2|horse|\n\s+at /);
  });
});
