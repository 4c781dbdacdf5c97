import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";
import { API_POLICY, commonHeaders } from "./security-headers.ts";

/* Refusals on a connection for which Node offers no response: unparsable requests, and upgrades (W1). */

/** After its answer a peer has this long to read it. */
const LINGER_MS = 1_000;

export const ERROR_HEADERS = {
  "content-type": "application/json",
  "content-security-policy": API_POLICY,
  "cache-control": "no-store",
} as const;

export interface RawRefusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string | undefined;
}

/** Answers with this refusal, unless the peer is gone, and ends the connection. */
export function refuseRaw(socket: Duplex, secure: boolean, { status, code, detail }: RawRefusal): void {
  // After an upgrade nobody else listens, and an error without a listener ends the process.
  socket.on("error", () => socket.destroy());
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify({ error: wireError(code, detail) });
  const headers = { ...commonHeaders(secure), ...ERROR_HEADERS, "content-length": Buffer.byteLength(body) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}connection: close\r\n\r\n${body}`,
  );
  // Our half is closed; a peer that keeps its half open could hold the connection forever.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
