import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { watchJoinPage } from "../web-build.ts";
import { openJoinPage } from "./join-page.ts";
import { commonHeaders, pagePolicy, staticPolicy } from "./security-headers.ts";

/** The participant's page and, for all other addresses, Next, behind the coordinator's own checks. */
export interface Pages {
  /** @param strict  Whether the browser is to insist on TLS from now on. */
  handle(request: IncomingMessage, response: ServerResponse, strict: boolean): Promise<void>;
  /** @returns False if it does not take the upgrade, see `takesUpgrade`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  close(): Promise<void>;
}

export interface PageOptions {
  readonly dev: boolean;
  readonly port: number;
}

/**
 * Headers that clients may not send on to Next, which trusts them from its own proxies. Server actions are
 * not used.
 */
const INNER_HEADERS = /^(?:x-middleware-|x-invoke-|x-matched-path|x-now-|x-nextjs-|x-forwarded-|next-action)/;

/** Folder of the build, relative to the repository's root. */
const WEB_FOLDER = "web";

/** Whether Next takes upgrades of this request: the development server tells its pages of changes over a WebSocket. */
export function takesUpgrade({ url }: IncomingMessage, dev: boolean): boolean {
  return dev && url?.startsWith("/_next/") === true;
}

/** Loads the pages with their builds or their compilers. Takes a second or two. */
export async function openPages({ dev, port }: PageOptions): Promise<Pages> {
  // Next reads these while it loads. Without the first, React's development build would be served; without the second,
  // Next would report to its makers (O40).
  Object.assign(process.env, {
    NODE_ENV: dev ? "development" : "production",
    NEXT_TELEMETRY_DISABLED: "1",
  });
  const { default: next } = await import("next");
  // Next listens for upgrades on the server it is given, and proxies those it does not know. This stand-in
  // passes on only what `upgrade` allows.
  const upgrades = new EventEmitter();
  const app = next({
    dev,
    dir: WEB_FOLDER,
    port,
    hostname: "localhost",
    httpServer: upgrades as unknown as Server,
  });
  const handler = app.getRequestHandler();
  const watcher = dev ? watchJoinPage((text) => process.stderr.write(text)) : null;
  const [participants] = await Promise.all([openJoinPage(watcher), app.prepare()]);
  return {
    handle: async (request, response, strict) => {
      if (await participants.handle(request, response, strict)) return;
      for (const name of Object.keys(request.headers)) {
        if (INNER_HEADERS.test(name)) delete request.headers[name];
      }
      for (const [name, value] of Object.entries(commonHeaders(strict))) response.setHeader(name, value);
      if (request.url?.startsWith("/_next/static/")) {
        response.setHeader("content-security-policy", staticPolicy(dev));
      } else {
        const policy = pagePolicy(randomBytes(16).toString("base64url"), dev);
        // Next puts the nonce from this header on its scripts.
        request.headers["content-security-policy"] = policy;
        response.setHeader("content-security-policy", policy);
      }
      await handler(request, response);
    },
    upgrade: (request, socket, head) =>
      takesUpgrade(request, dev) && upgrades.emit("upgrade", request, socket, head),
    close: async () => {
      await watcher?.stop();
      await app.close();
    },
  };
}
