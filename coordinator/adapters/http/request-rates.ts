import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { rateLimit } from "../../core/access/rate-limit.ts";
import { SOCKET_PATH } from "../socket/socket.ts";
import { isUpload } from "./api/uploads.ts";
import type { Client } from "./clients.ts";
import { isJoinFile } from "./join-page.ts";
import { isTrackingAddress } from "./mlflow/address.ts";

/** Rates of requests by address, one per kind. They are charged before anything else is checked (W10). */
export function requestRates(clock: MonotonicClock) {
  const rate = (burst: number, perSecond: number) => rateLimit(clock, { burst, perSecond });
  const api = rate(LIMITS.apiBurstPerAddress, LIMITS.apiPerSecondPerAddress);
  const uploads = rate(LIMITS.uploadsBurstPerAddress, LIMITS.uploadsPerSecondPerAddress);
  const pages = rate(LIMITS.pagesBurstPerAddress, LIMITS.pagesPerSecondPerAddress);
  const files = rate(LIMITS.pageFilesBurstPerAddress, LIMITS.pageFilesPerSecondPerAddress);
  const operations = rate(LIMITS.operationsBurstPerAddress, LIMITS.operationsPerSecondPerAddress);
  const livez = rate(LIMITS.livezBurstPerAddress, LIMITS.livezPerSecondPerAddress);
  const rateOf = (url: string) => {
    if (isApi(url) || url.startsWith(SOCKET_PATH) || !url.startsWith("/")) return api;
    const operation = operationOf(url);
    if (operation !== null) return operation === "livez" ? livez : operations;
    return url.startsWith("/_next/static/") || isJoinFile(url) ? files : pages;
  };
  /** Connections that close after the answer to an upload. */
  const ending = new WeakSet<Socket>();
  return {
    /**
     * An upload is judged by its slot even if its address is over its rate. Such an address needs a new
     * connection for each upload: this one is its connection's "last", and what follows it there is "cut".
     */
    charge: (request: IncomingMessage, { address }: Client): "within" | "refused" | "last" | "cut" => {
      const { socket, url = "" } = request;
      if (!isUpload(request)) return rateOf(url).take(address) ? "within" : "refused";
      if (ending.has(socket)) return "cut";
      if (uploads.take(address)) return "within";
      ending.add(socket);
      return "last";
    },
  };
}

/** The operation at this address; null for every other address, like "/livezx", which is a page's. */
export function operationOf(url: string): string | null {
  return /^\/(livez|readyz|metrics|ca\.crt)(?:\?|$)/.exec(url)?.[1] ?? null;
}

/** Matches anything that a reader might take for the API, but not "/apiary". */
export function isApi(url: string): boolean {
  // The page about the API is a page.
  return (
    /^\/log\/(?:checkpoint(?:\?|$)|tile\/)/.test(url) ||
    (/^\/api(?![a-z0-9_-])/i.test(url) && !/^\/api(?:\?|$)/.test(url)) ||
    isTrackingAddress(url.split("?", 1)[0] ?? "")
  );
}
