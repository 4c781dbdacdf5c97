import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openIdOptions } from "#coordinator/commands/openid-options.ts";

const ISSUER = "https://login.example";

describe("an OpenID provider", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("is set up whole or not at all", () => {
    expect(openIdOptions(undefined, undefined)).toEqual({ ok: true, value: undefined });
    expect(openIdOptions(ISSUER, undefined)).toMatchObject({ error: expect.stringContaining("go together") });
    expect(openIdOptions(ISSUER, "a")).toMatchObject({
      error: expect.stringContaining("CHORUS_OPENID_CLIENT_SECRET"),
    });
    vi.stubEnv("CHORUS_OPENID_CLIENT_SECRET", "s");
    const value = { issuer: ISSUER, clientId: "a", clientSecret: "s" };
    expect(openIdOptions(ISSUER, "a")).toEqual({ ok: true, value });
    expect(openIdOptions("http://localhost:8080", "a")).toMatchObject({ ok: true });
    for (const issuer of ["http://login.example", "login.example", "ftp://login.example"])
      expect(openIdOptions(issuer, "a")).toMatchObject({ error: expect.stringContaining("https address") });
  });

  test("has its secret from a file too", () => {
    const folder = mkdtempSync(join(tmpdir(), "chorus-openid-"));
    try {
      writeFileSync(join(folder, "secret"), "from a file\n");
      vi.stubEnv("CHORUS_OPENID_CLIENT_SECRET_FILE", join(folder, "secret"));
      expect(openIdOptions(ISSUER, "a")).toMatchObject({ value: { clientSecret: "from a file" } });
      vi.stubEnv("CHORUS_OPENID_CLIENT_SECRET_FILE", join(folder, "none"));
      expect(openIdOptions(ISSUER, "a")).toMatchObject({ error: expect.stringContaining("cannot be read") });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
