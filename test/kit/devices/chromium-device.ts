import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";
import { createViteServer } from "vitest/node";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { CHROMIUM_FLAGS, ensureChromium } from "../browser.ts";
import type { DevicePage, PageAnswer } from "../children/device-page.ts";
import type { TimedAnswer, TimedDevice } from "./timed-device.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SCRIPT = "/test/kit/children/device-page.ts";

export interface ChromiumDevice extends TimedDevice {
  /** Wall-clock seconds, alternately, of masking `length` words with `count` masks and of WebCrypto's part alone. */
  measureMasks(
    count: number,
    length: number,
  ): Promise<{ readonly masksS: number; readonly cipherAloneS: number }>;
}

/** The client core in its own Chromium page. @param identitySeed  32 bytes. */
export async function openChromiumDevice(identitySeed: Bytes): Promise<ChromiumDevice> {
  const cacheDir = await mkdtemp(join(tmpdir(), "chorus-device-page-"));
  let body: Bytes | null = null;
  const server = await createViteServer({
    configFile: false,
    root: ROOT,
    cacheDir,
    logLevel: "error",
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
    plugins: [
      {
        name: "device-page",
        configureServer: ({ middlewares }) => {
          middlewares.use("/input", (request: IncomingMessage, response: ServerResponse) => {
            void readAll(request).then((bytes) => {
              body = bytes;
              response.end();
            });
          });
          middlewares.use("/page", (_request: IncomingMessage, response: ServerResponse) => {
            response.setHeader("content-type", "text/html");
            response.end(`<!doctype html><script type="module" src="${SCRIPT}"></script>`);
          });
        },
      },
    ],
  });
  await server.listen();
  const url = present(server.resolvedUrls?.local[0], "the server's address");
  const browser = await chromium.launch({
    executablePath: await ensureChromium(() => {}),
    args: [...CHROMIUM_FLAGS],
  });
  const page = await browser.newPage();
  await page.goto(`${url}page`);
  await page.waitForFunction(() => (globalThis as DevicePage).deliver !== undefined, null, {
    timeout: 60_000,
  });

  const answered = ({ ms, frame, inputHeaders }: PageAnswer): TimedAnswer => {
    const input = inputHeaders === null ? null : { headers: inputHeaders, body: present(body, "an input") };
    return { ms, frame: frame === null ? null : hexToBytes(frame), input };
  };
  return {
    advertise: async (start) => {
      const given = {
        ...start,
        randomness: bytesToHex(start.randomness),
        identitySeed: bytesToHex(identitySeed),
      };
      return answered(
        await page.evaluate((told) => {
          const { advertise } = globalThis as DevicePage;
          if (advertise === undefined) throw new Error("the page has no device");
          return advertise(told);
        }, given),
      );
    },
    deliver: async (frame) =>
      answered(
        await page.evaluate((told) => {
          const { deliver } = globalThis as DevicePage;
          if (deliver === undefined) throw new Error("the page has no device");
          return deliver(told);
        }, bytesToHex(frame)),
      ),
    measureMasks: (count, length) =>
      page.evaluate(
        (told) => {
          const { measureMasks } = globalThis as DevicePage;
          if (measureMasks === undefined) throw new Error("the page has no device");
          return measureMasks(...told);
        },
        [count, length] as const,
      ),
    close: async () => {
      await browser.close();
      await server.close();
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
}

async function readAll(request: IncomingMessage): Promise<Bytes> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const whole = Buffer.concat(chunks);
  assert(whole.length > 0, "an input has bytes");
  const bytes = new Uint8Array(whole.length);
  bytes.set(whole);
  return bytes;
}
