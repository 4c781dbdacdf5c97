import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { commonHeaders, pagePolicy, staticPolicy } from "./security-headers.ts";

/** Next, behind our own checks. */
export interface Pages {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Of the development server; everything else is nobody's. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  close(): Promise<void>;
}

export interface PageOptions {
  readonly dev: boolean;
  readonly port: number;
  readonly secure: boolean;
}

/**
 * What a client may not say to Next: Next trusts these from its own proxies, and a server action has no place here.
 */
const INNER_HEADERS = /^(?:x-middleware-|x-invoke-|x-matched-path|x-now-|x-nextjs-|x-forwarded-|next-action)/;

/** Where the build lies, from the repository's root. */
const WEB_FOLDER = "web";

/** Loads Next and its build (or its compiler); takes a second or two. */
export async function openPages({ dev, port, secure }: PageOptions): Promise<Pages> {
  // Next reads it while it loads; React's development build would be served otherwise.
  Object.assign(process.env, { NODE_ENV: dev ? "development" : "production" });
  const { default: next } = await import("next");
  // Next listens for upgrades on the server that it is given and proxies what it does not know. It gets a stand-in that
  // hears only what `upgrade` lets through.
  const upgrades = new EventEmitter();
  const app = next({
    dev,
    dir: WEB_FOLDER,
    port,
    hostname: "localhost",
    httpServer: upgrades as unknown as Server,
  });
  const handler = app.getRequestHandler();
  await app.prepare();
  const headers = Object.entries(commonHeaders(secure));
  return {
    handle: async (request, response) => {
      for (const name of Object.keys(request.headers)) {
        if (INNER_HEADERS.test(name)) delete request.headers[name];
      }
      for (const [name, value] of headers) response.setHeader(name, value);
      if (request.url?.startsWith("/_next/static/")) {
        response.setHeader("content-security-policy", staticPolicy(dev));
      } else {
        const policy = pagePolicy(randomBytes(16).toString("base64url"), dev);
        // Next puts the nonce that it finds here on its scripts.
        request.headers["content-security-policy"] = policy;
        response.setHeader("content-security-policy", policy);
      }
      await handler(request, response);
    },
    upgrade: (request, socket, head) => {
      if (!dev || !request.url?.startsWith("/_next/")) return false;
      return upgrades.emit("upgrade", request, socket, head);
    },
    close: () => app.close(),
  };
}
