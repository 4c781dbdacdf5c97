import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright";

/** Flags for every Chromium that the tests start: WebGPU on a software adapter, and no traffic of its own. */
export const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
] as const;

/** On a busy machine a page may take longer than Playwright's 30 s to load or to show what a test waits for. */
const PATIENCE_MS = 300_000;

export async function openContext(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

/** Chromium's own authenticator, which asks nobody. */
export async function addAuthenticator(context: BrowserContext, page: Page): Promise<void> {
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/**
 * The path of a Chromium: the one in CHORUS_CHROMIUM, Playwright's own if it is installed, or one on the PATH. Null if
 * there is none.
 */
export async function findChromium(): Promise<string | null> {
  const named = process.env["CHORUS_CHROMIUM"];
  if (named !== undefined && isExecutable(named)) return named;
  const { chromium } = await import("playwright");
  const own = chromium.executablePath();
  if (own !== "" && existsSync(own)) return own;
  const mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
  const candidates = [...names.flatMap((name) => folders.map((folder) => join(folder, name))), mac];
  return candidates.find(isExecutable) ?? null;
}

/** Finds a Chromium or installs one: Playwright's download, or Debian's package if this is root. */
export async function ensureChromium(say: (line: string) => void): Promise<string> {
  const found = await findChromium();
  if (found !== null) return found;
  say("No Chromium found; fetching Playwright's own.");
  spawnSync(process.execPath, [join("node_modules", "playwright", "cli.js"), "install", "chromium"], {
    stdio: "inherit",
  });
  const fetched = await findChromium();
  if (fetched !== null) return fetched;
  if (process.getuid?.() === 0 && isExecutable("/usr/bin/apt-get")) {
    say("Installing Debian's chromium package.");
    spawnSync("apt-get", ["update", "-qq"], { stdio: "inherit" });
    spawnSync("apt-get", ["install", "-y", "-qq", "chromium"], { stdio: "inherit" });
  }
  const installed = await findChromium();
  if (installed !== null) return installed;
  throw new Error(
    "No Chromium: install Chrome or Chromium, or set CHORUS_CHROMIUM to its path, and run again.",
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
