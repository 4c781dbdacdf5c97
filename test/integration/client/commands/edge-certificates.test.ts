import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { issueCertificate, makeAuthority } from "#coordinator/adapters/tls/certificates.ts";
import { permittedFor } from "#coordinator/adapters/tls/names.ts";
import { randomBytes } from "#shared/node/system.ts";
import { selfSigned } from "#test/kit/self-signed.ts";
import { EDGE_COMMAND } from "#test/kit/worlds/edge-federation.ts";

/* An edge against real TLS servers whose certificates are wrong in one way each. */

const DAY_MS = 86_400_000;
const validFrom = (fromDays: number, untilDays: number) => ({
  from: new Date(Date.now() + fromDays * DAY_MS),
  until: new Date(Date.now() + untilDays * DAY_MS),
});

const folder = mkdtempSync(join(tmpdir(), "chorus-certificates-"));
const [trusted, other, missing] = ["trusted.pem", "other.pem", "missing.pem"].map((name) =>
  join(folder, name),
) as [string, string, string];
const servers: Server[] = [];
let ports: Record<
  "right" | "self-signed" | "expired" | "early" | "elsewhere" | "forbidden" | "plain",
  number
>;

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** Answers everything with a refusal that an edge prints, which shows that it came through. */
function answering(tls: Pick<ServerOptions, "cert" | "key">): Promise<number> {
  const error = { code: "UNAVAILABLE", message: "It came through.", retry: "never" };
  return listen(
    createServer(tls, (_request, response) => {
      response.writeHead(503).end(JSON.stringify({ error }));
    }),
  );
}

beforeAll(async () => {
  const [authority, stranger] = await Promise.all(
    ["Trusted", "Other"].map((name) => makeAuthority(name, permittedFor([]), validFrom(-9, 9), randomBytes)),
  );
  if (authority === undefined || stranger === undefined) throw new Error("two authorities");
  writeFileSync(trusted, authority.certificate);
  writeFileSync(other, stranger.certificate);
  const issue = (names: readonly string[], from: number, until: number) =>
    issueCertificate(authority, names, validFrom(from, until), randomBytes).then(
      ({ certificate, privateKey }) => answering({ cert: certificate, key: privateKey }),
    );
  ports = {
    right: await issue(["localhost"], -1, 1),
    "self-signed": await answering(selfSigned(folder)),
    expired: await issue(["localhost"], -2, -1),
    early: await issue(["localhost"], 1, 2),
    elsewhere: await issue(["desk.local", "192.168.0.7"], -1, 1),
    forbidden: await issue(["localhost", "example.org"], -1, 1),
    plain: await listen(createHttpServer((_request, response) => response.end())),
  };
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

function edge(
  port: number,
  authorities?: string,
): Promise<{ readonly code: unknown; readonly said: string }> {
  const args = [
    EDGE_COMMAND,
    "--coordinator",
    `https://localhost:${port}`,
    "--task",
    "hmda",
    "--data",
    folder,
  ];
  const env = { ...process.env, ...(authorities === undefined ? {} : { NODE_EXTRA_CA_CERTS: authorities }) };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: 60_000 }, (fault, _stdout, stderr) =>
      resolve({ code: fault?.code, said: stderr }),
    );
  });
}

test("an edge that trusts the authority comes through (positive control)", async () => {
  expect(await edge(ports.right, trusted)).toEqual({ code: 3, said: "It came through.\n" });
});

test.each([
  [
    "of an authority that is not trusted",
    "right",
    undefined,
    /is not signed by an authority that this machine trusts \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\).*set NODE_EXTRA_CA_CERTS=\/path\/ca\.pem.*https:\/\/localhost:\d+\/ca\.crt/,
  ],
  [
    "of another authority than the trusted one",
    "right",
    other,
    /NODE_EXTRA_CA_CERTS=\S+other\.pem does not contain that authority/,
  ],
  [
    "while the trusted one's file is missing",
    "right",
    missing,
    /NODE_EXTRA_CA_CERTS=\S+missing\.pem cannot be read: set/,
  ],
  ["that is self-signed", "self-signed", undefined, /\(DEPTH_ZERO_SELF_SIGNED_CERT\).*NODE_EXTRA_CA_CERTS/],
  ["that has expired", "expired", trusted, /has expired \(CERT_HAS_EXPIRED\).*has to renew it/],
  ["that is not valid yet", "early", trusted, /not valid yet \(CERT_NOT_YET_VALID\).*clock/],
  [
    "for other names",
    "elsewhere",
    trusted,
    /is for other names \(desk\.local, 192\.168\.0\.7\), not for localhost/,
  ],
  [
    "that its authority may not sign",
    "forbidden",
    trusted,
    /is not acceptable \(permitted subtree violation\)/,
  ],
  [
    "that does not exist",
    "plain",
    undefined,
    /does not speak TLS\. .*--coordinator http:\/\/localhost:\d+\./,
  ],
] as const)(
  "[O23] a certificate %s is named as such, with what mends it",
  async (_name, server, authorities, sentence) => {
    const { code, said } = await edge(ports[server], authorities);
    expect(said).toMatch(sentence);
    expect(said).not.toMatch(/\n\s+at /);
    expect(code).toBe(3);
  },
);
