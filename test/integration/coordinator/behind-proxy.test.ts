import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request as requestPlainly } from "node:http";
import { type RequestOptions, request } from "node:https";
import { networkInterfaces, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readTrustedProxies } from "#coordinator/adapters/http/trusted-proxies.ts";
import { openLog } from "#coordinator/adapters/log.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { type RunningCoordinator, startCoordinator } from "#coordinator/main.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { hasOpenssl, selfSigned } from "#test/kit/self-signed.ts";
import { openTlsProxy, type TlsProxy } from "#test/kit/tls-proxy.ts";
import { adminToken } from "#test/kit/worlds/admin.ts";
import { useToken } from "#test/kit/worlds/as-admin.ts";
import { openApi, until } from "#test/kit/worlds/coordinator-process.ts";

/* Other machines reach the coordinator through a proxy alone, which speaks TLS and adds forwarded headers. */

const ROOT = new URL("../../..", import.meta.url).pathname;
const DIGITS = join(ROOT, "coordinator", "data", "digits.csv");
const EDGES = 3;
const TASK = bundledTask("digits", EDGES, 1);
const CREDENTIAL = { type: "password", password: "a long enough password" } as const;
/** An address of this machine by which others reach it; undefined if it has none. */
const OUTER = Object.values(networkInterfaces())
  .flatMap((one) => one ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

interface Asked {
  readonly method?: "GET" | "POST";
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

describe.skipIf(!hasOpenssl())("behind a proxy", () => {
  let folder: string;
  let certPath: string;
  let proxy: TlsProxy;
  let running: RunningCoordinator;
  const edges: ChildProcess[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "chorus-proxy-"));
    const heldOut = `${heldOutPath(folder, TASK.slug, TASK.version)}.csv`;
    mkdirSync(dirname(heldOut), { recursive: true });
    cpSync(DIGITS, heldOut);
    const tls = selfSigned(folder);
    certPath = tls.certPath;
    proxy = await openTlsProxy(tls);
    const trustedProxies = readTrustedProxies("127.0.0.1");
    assert(trustedProxies.ok, "an address");
    running = await startCoordinator({
      port: 0,
      host: "0.0.0.0",
      dataDir: folder,
      web: false,
      log: openLog({ destination: { write: () => {} } }),
      publicUrl: proxy.url,
      trustedProxies: trustedProxies.value,
    });
    proxy.forwardTo(running.port);
  });
  afterEach(async () => {
    for (const edge of edges.splice(0)) edge.kill("SIGKILL");
    await proxy.close();
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function answerTo(
    send: typeof request,
    options: RequestOptions,
    { method = "GET", path = "/api/v1/status", headers = {}, body }: Asked,
  ): Promise<Answer> {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    return new Promise((resolve, reject) => {
      send({ ...options, method, path, headers: { ...json, ...headers } }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            text: Buffer.concat(parts).toString(),
          }),
        );
      })
        .on("error", reject)
        .end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  const ask = (asked: Asked) => {
    const { host, port } = new URL(proxy.url);
    const headers = { host, ...asked.headers };
    // Another address than the proxy's own, which is trusted.
    const from = { host: "127.0.0.1", port, servername: "localhost", localAddress: "127.0.0.2" };
    return answerTo(request, { ...from, ca: readFileSync(certPath) }, { ...asked, headers });
  };

  /** Past the proxy, by the address that other machines use. */
  const askPlainly = (asked: Asked) =>
    answerTo(requestPlainly, { host: OUTER, port: running.port, localAddress: OUTER }, asked);

  /** Claims the coordinator from the other machine. @returns Its session's cookie. */
  async function claim(): Promise<{ readonly cookie: string; readonly line: string }> {
    const token = present(running.doors.openSetUp(), "a coordinator without an admin");
    const body = { token, name: "ada", projectId: "default", credential: CREDENTIAL };
    const claimed = await ask({ method: "POST", path: "/api/v1/setup", body });
    expect(claimed.status, claimed.text).toBe(200);
    const line = sessionLine(claimed);
    return { cookie: line.slice(0, line.indexOf(";")), line };
  }

  test("[W16] edges on other machines take part over TLS, and a round commits", async () => {
    useToken(running.url, await adminToken(running.accessDesk));
    const api = openApi(running.url);
    await api.createTask(TASK);
    const rows = readFileSync(DIGITS, "utf8").trim().split("\n");
    for (let index = 0; index < EDGES; index++) {
      const data = join(folder, `rows-${index}.csv`);
      writeFileSync(data, [rows[0], ...rows.slice(1 + 100 * index, 101 + 100 * index)].join("\n"));
      const args = ["--coordinator", proxy.url, "--task", "digits", "--data", data, "--backend", "cpu"];
      const state = ["--state", join(folder, `edge-${index}`)];
      edges.push(
        spawn(process.execPath, [join(ROOT, "client", "commands", "edge.ts"), ...args, ...state], {
          cwd: ROOT,
          env: { ...process.env, NODE_EXTRA_CA_CERTS: certPath },
          stdio: ["ignore", "ignore", "inherit"],
        }),
      );
    }
    const { runId } = await api.launch({ task: "digits", rounds: 1, seed: 7 });
    const run = await until("the run ends", 240_000, async () => {
      const view = await api.run(runId);
      return view.endedAt !== null && view;
    });
    expect(run).toMatchObject({ state: "completed", roundsCommitted: 1 });
    expect(running.status).toMatchObject({ joinBaseUrl: proxy.url, secureContext: true });
  });

  test("[W16] what a client claims about itself is outweighed by what the proxy appends", async () => {
    const strict = { "strict-transport-security": expect.any(String) };
    expect(await ask({})).toMatchObject({ status: 200, headers: strict });
    for (const headers of [
      { "x-forwarded-for": "no address at all" },
      { "x-forwarded-proto": "gopher", "x-forwarded-host": "evil.example" },
    ])
      expect(await ask({ headers })).toMatchObject({ status: 200 });
  });

  test("[X11] a second machine signs in over TLS, whatever it claims about itself", async () => {
    const { cookie, line } = await claim();
    expect(line).toMatch(/^__Host-chorus=[^;]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/);
    const own = { path: "/api/v1/session", headers: { cookie } };
    expect((await ask(own)).status).toBe(200);
    const again = await ask({ ...signIn, headers: { "x-forwarded-proto": "http" } });
    expect(again.status, again.text).toBe(200);
    expect(sessionLine(again)).toContain("; Secure");
  });

  test.skipIf(OUTER === undefined)(
    "[X11] the same coordinator, asked past its proxy, signs nobody in and reads no session",
    async () => {
      const { cookie } = await claim();
      for (const headers of [{}, FORWARDED]) {
        for (const asked of [signIn, { ...signIn, path: "/api/v1/session/link", body: { token: LINK } }]) {
          const refused = await askPlainly({ ...asked, headers });
          expect(refused.status, refused.text).toBe(403);
          expect(refused.text).toContain("INSECURE_SIGN_IN");
          expect(refused.headers["set-cookie"]).toBeUndefined();
        }
        const own = await askPlainly({ path: "/api/v1/session", headers: { ...headers, cookie } });
        expect(own.status, own.text).toBe(401);
      }
      // The control: what is public is answered there, and the session is good through the proxy.
      expect((await askPlainly({})).status).toBe(200);
      expect((await ask({ path: "/api/v1/session", headers: { cookie } })).status).toBe(200);
    },
  );
});

const signIn = {
  method: "POST",
  path: "/api/v1/session",
  body: { name: "ada", password: CREDENTIAL.password },
} as const;
/** As the proxy would send them. */
const FORWARDED = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7" };
const LINK = `chl_${"A".repeat(43)}`;

function sessionLine({ headers }: Answer): string {
  const line = headers["set-cookie"]?.find((one) => one.startsWith("__Host-chorus="));
  return present(line, "a session");
}
