import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Telemetry } from "next/dist/telemetry/storage.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openPages } from "#coordinator/adapters/http/pages.ts";

/* Next's own switch, looked at in the moment in which Next is opened. */

const seen: boolean[] = [];
const folder = mkdtempSync(join(tmpdir(), "chorus-telemetry-"));
const reports = () => new Telemetry({ distDir: folder }).isEnabled;

vi.mock("next", () => ({
  default: () => {
    seen.push(reports());
    return { getRequestHandler: () => () => {}, prepare: async () => {}, close: async () => {} };
  },
}));

// The participant's page is not Next's, and need not be built here.
vi.mock("#coordinator/adapters/http/join-page.ts", () => ({
  openJoinPage: async () => ({ handle: async () => {}, close: async () => {} }),
}));
vi.mock("#coordinator/adapters/web-build.ts", () => ({ watchJoinPage: () => null }));

beforeEach(() => {
  vi.stubEnv("NEXT_TELEMETRY_DISABLED", undefined);
  vi.stubEnv("XDG_CONFIG_HOME", folder);
  vi.stubEnv("CI", undefined);
  seen.length = 0;
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test.each([{ dev: true }, { dev: false }])("[O40] pages report nothing: %o", async ({ dev }) => {
  await openPages({ dev, port: 0 });
  expect(seen).toEqual([false]);
});

test("[O40] control: without the coordinator's switch, Next would report", () => {
  expect(reports()).toBe(true);
});
