import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isPermitted } from "#coordinator/adapters/tls/names.ts";
import { keepOwnTls } from "#coordinator/adapters/tls/open-tls.ts";
import { type OwnCertificate, openOwnCertificate } from "#coordinator/adapters/tls/own-certificate.ts";
import type { Log } from "#coordinator/core/ports/ports.ts";
import { startCoordinator } from "#coordinator/main.ts";
import { randomBytes } from "#shared/node/system.ts";

/* The certificate that a coordinator makes for itself, as TLS clients and OpenSSL see it. */

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const DAY_MS = 86_400_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorus-own-tls-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

let now = Date.now();
const ports = { wall: { nowUnixMs: () => now }, random: randomBytes };
beforeEach(() => {
  now = Date.now();
});
const open = (needed: string, ...names: string[]) => openOwnCertificate(ports, folder, needed, names);
const namesOf = ({ cert }: OwnCertificate) => new X509Certificate(cert).subjectAltName;

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A client that trusts this authority alone. Rejects with the code of a refused certificate. */
function ask(url: string, ca: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    }).on("error", (error: NodeJS.ErrnoException) => reject(new Error(error.code)));
  });
}

describe("a coordinator with --tls", () => {
  const settings = () => ({ port: 0, dataDir: folder, tls: "own", web: false, log: quiet }) as const;

  test("[O20] is reached by a client that trusts its authority alone, and offers that authority", async () => {
    const running = await startCoordinator(settings());
    try {
      expect(running.url).toMatch(/^https:/);
      const ca = readFileSync(running.authority?.path ?? "", "utf8");
      const status = await ask(`${running.url}/api/v1/status`, ca);
      expect(status.status).toBe(200);
      expect(JSON.parse(status.body)).toEqual(running.status);
      expect(running.status.authorityFingerprint).toBe(new X509Certificate(ca).fingerprint256);
      // Whoever must pass over a warning to fetch the authority could not do so if the browser insisted on HTTPS.
      expect(status.headers["strict-transport-security"]).toBeUndefined();
      await ask(`${running.status.joinBaseUrl}/livez`, ca);

      const offered = await ask(`${running.url}/ca.crt`, ca);
      expect(offered.headers["content-type"]).toBe("application/x-x509-ca-cert");
      expect(offered.body).toBe(ca);
      expect(offered.body).not.toContain("PRIVATE");
    } finally {
      await running.stop();
    }
  });

  test("a client that does not trust the authority refuses (positive control)", async () => {
    const running = await startCoordinator(settings());
    try {
      const other = await openOwnCertificate(ports, join(folder, "other"), "localhost", []);
      await expect(ask(`${running.url}/livez`, other.authority.certificate)).rejects.toThrow(
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      );
    } finally {
      await running.stop();
    }
  });

  test("[O20] keeps authority and certificate over a restart, in files that only its user can read", async () => {
    const first = await startCoordinator(settings());
    await first.stop();
    const files = ["authority.pem", "server.pem", "ca.crt"].map((name) => join(folder, "tls", name));
    expect(files.map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600, 0o644]);
    const kept = files.map((path) => readFileSync(path, "utf8"));
    const second = await startCoordinator(settings());
    await second.stop();
    expect(files.map((path) => readFileSync(path, "utf8"))).toEqual(kept);
    expect([first.authority?.isNew, second.authority?.isNew]).toEqual([true, false]);
  });

  test("without --tls there is no authority to offer", async () => {
    const running = await startCoordinator({ ...settings(), tls: null });
    try {
      const answer = await fetch(`${running.url}/ca.crt`);
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain("nothing to trust");
    } finally {
      await running.stop();
    }
  });
});

describe("the certificate", () => {
  test("[O20] other names renew it under the same authority", async () => {
    const first = await open("192.168.0.7", "localhost");
    const same = await open("192.168.0.7", "localhost");
    expect(same.cert).toBe(first.cert);
    const second = await open("192.168.0.8", "localhost");
    expect(second.authority).toEqual({ ...first.authority, isNew: false });
    expect(namesOf(first)).toBe("IP Address:192.168.0.7, DNS:localhost");
    expect(namesOf(second)).toBe("IP Address:192.168.0.8, DNS:localhost");
    expect(
      new X509Certificate(second.cert).verify(new X509Certificate(first.authority.certificate).publicKey),
    ).toBe(true);
  });

  test("[O20] it is renewed a month before it ends, and never lasts longer than browsers accept", async () => {
    const first = await open("localhost");
    const { validFromDate, validToDate } = new X509Certificate(first.cert);
    expect((validToDate.getTime() - validFromDate.getTime()) / DAY_MS).toBeLessThanOrEqual(398);
    now = validToDate.getTime() - 31 * DAY_MS;
    expect((await open("localhost")).cert).toBe(first.cert);
    now += 2 * DAY_MS;
    const second = await open("localhost");
    expect(second.cert).not.toBe(first.cert);
    expect(second.authority.isNew).toBe(false);
  });

  test("[O20] an authority that ends is replaced, and that is said", async () => {
    const first = await open("localhost");
    now += 3_649 * DAY_MS;
    const second = await open("localhost");
    expect(second.authority.isNew).toBe(true);
    expect(second.authority.fingerprint).not.toBe(first.authority.fingerprint);
  });

  test("[O21] a needed name outside of its networks takes a new authority, a spare one is left out", async () => {
    const first = await open("192.168.0.7", "desk");
    const spare = await open("192.168.0.7", "desk", "example.org");
    expect(spare.authority).toEqual({ ...first.authority, isNew: false });
    expect(namesOf(spare)).not.toContain("example.org");
    const needed = await open("example.org", "localhost");
    expect(needed.authority.isNew).toBe(true);
    expect(namesOf(needed)).toBe("DNS:example.org, DNS:localhost");
  });

  test.each(["x", "", "-----BEGIN CERTIFICATE-----\n"])(
    "a damaged authority %j is refused, never replaced",
    async (text) => {
      await open("localhost");
      const path = join(folder, "tls", "authority.pem");
      writeFileSync(path, text);
      await expect(open("localhost")).rejects.toThrow(/authority\.pem is damaged\. Restore it/);
      expect(readFileSync(path, "utf8")).toBe(text);
    },
  );

  test("a damaged certificate is made again under the same authority", async () => {
    const first = await open("localhost");
    writeFileSync(join(folder, "tls", "server.pem"), "x");
    const second = await open("localhost");
    expect(second.authority).toEqual({ ...first.authority, isNew: false });
  });

  test("[O21] OpenSSL accepts the chain, and refuses what the authority may not sign", async () => {
    const { cert, authority } = await open("192.168.0.7", "laptop.local", "fd00::7", "localhost");
    const [ca, leaf] = [join(folder, "ca.pem"), join(folder, "leaf.pem")];
    writeFileSync(ca, authority.certificate);
    writeFileSync(leaf, cert);
    const verify = (path: string, ...args: string[]) =>
      execFileSync(
        "openssl",
        ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca, ...args, path],
        {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
    expect(verify(leaf, "-verify_ip", "192.168.0.7")).toContain("OK");
    expect(verify(leaf, "-verify_hostname", "laptop.local")).toContain("OK");
    expect(verify(leaf, "-verify_ip", "fd00::7")).toContain("OK");
    expect(() => verify(leaf, "-verify_hostname", "example.org")).toThrow();

    const { issueCertificate, permittedBy } = await import("#coordinator/adapters/tls/certificates.ts");
    const { certificate } = authority;
    const privateKey = readFileSync(join(folder, "tls", "authority.pem"), "utf8").replace(certificate, "");
    const validity = { from: new Date(now - DAY_MS), until: new Date(now + DAY_MS) };
    for (const stolen of ["example.org", "8.8.8.8", "2001:db8::1"]) {
      expect(isPermitted(permittedBy(certificate), stolen)).toBe(false);
      const forged = await issueCertificate({ certificate, privateKey }, [stolen], validity, randomBytes);
      writeFileSync(leaf, forged.certificate);
      expect(() => verify(leaf)).toThrow(/permitted subtree violation/);
    }
  });

  test("[O20] a server that runs on takes the renewed certificate", async () => {
    const first = await open("127.0.0.1");
    const second = await open("127.0.0.1", "localhost");
    const server = createServer({ cert: first.cert, key: first.key }, (_request, response) =>
      response.end("here"),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const due: (() => void)[] = [];
      const after = (_delayMs: number, run: () => void) => {
        due.push(run);
        return () => due.splice(due.indexOf(run), 1);
      };
      const renewed = { tls: second, authority: second.authority, renew: async () => renewed };
      const cancel = keepOwnTls(
        server,
        { tls: first, authority: first.authority, renew: async () => renewed },
        { after, log: quiet },
      );
      const url = `https://localhost:${(server.address() as AddressInfo).port}`;
      const ca = first.authority.certificate;
      await expect(ask(url, ca)).rejects.toThrow("ERR_TLS_CERT_ALTNAME_INVALID");
      due.shift()?.();
      await expect.poll(() => ask(url, ca).catch(() => null)).toMatchObject({ body: "here" });
      cancel();
      expect(due).toEqual([]);
    } finally {
      server.close();
    }
  });
});
