import { type RawAnswer, sendRaw } from "../raw-http.ts";
import type { RawRequest } from "./request.ts";

/** Sends a request as it is written, even if it is none. @param cutAfter  Bytes of the body, then our half closes. */
export function send(port: number, request: RawRequest, cutAfter?: number): Promise<RawAnswer> {
  const { method, target, headers, body } = request;
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const bytes = Buffer.from(body ?? new Uint8Array(0)).subarray(0, cutAfter);
  const text = `${method} ${target} HTTP/1.1\r\n${lines}\r\n${bytes.toString("latin1")}`;
  return cutAfter === undefined ? sendRaw(port, text) : sendRaw(port, text, null);
}
