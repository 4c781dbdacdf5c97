import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { SHELL_LIST, styleSources } from "#shared/node/shell.ts";
import { coordinatorPolicy } from "#shared/shell/policy.ts";
import { JOIN_FOLDER, type JoinWatcher } from "../web-build.ts";
import { commonHeaders, staticPolicy } from "./security-headers.ts";

/*
 * The participant's page: files that Vite has built, all in memory. Every address under /join/ gets the same HTML, whatever
 * the task and the request, so that its hash can be published. The page reads the task from its address.
 */

/** The page names its files relative to its own address, which may be some folders deep. */
const FILES = /^(?:\/join(?:\/[^/]*)*)?\/_join\/([^/]*)$/;
const PAGE = "index.html";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
  wasm: "application/wasm",
  woff2: "font/woff2",
};
const ENCODINGS = [
  { name: "br", ending: ".br" },
  { name: "gzip", ending: ".gz" },
] as const;

interface BuiltFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
  readonly bytes: Buffer;
  /** By the name of the encoding. */
  readonly encoded: ReadonlyMap<string, Buffer>;
}

export interface JoinPage {
  /** Answers if the address is the page's or one of its files'. @returns False if it is neither. */
  handle(request: IncomingMessage, response: ServerResponse, strict: boolean): Promise<boolean>;
}

/** @param watcher  Builds the files anew from time to time, so that they are read with each request; null if none does. */
export async function openJoinPage(watcher: JoinWatcher | null): Promise<JoinPage> {
  const built = watcher === null ? await readBuilt() : null;
  return {
    handle: async (request, response, strict) => {
      const name = fileOf(request.url ?? "");
      if (name === null) return false;
      await watcher?.built();
      const file = (built ?? (await readBuilt())).get(name);
      for (const [header, value] of Object.entries(commonHeaders(strict))) response.setHeader(header, value);
      if (file === undefined) {
        response.writeHead(404, { "cache-control": "no-store", "content-length": 0 }).end();
        return true;
      }
      answer(request, response, file);
      return true;
    },
  };
}

/** Name of the file at an address; null if the address is not the page's. */
function fileOf(url: string): string | null {
  const path = url.replace(/[?#].*$/s, "");
  const [, file] = FILES.exec(path) ?? [];
  if (file !== undefined) return file;
  return /^\/join(?:\/|$)/.test(path) ? PAGE : null;
}

/** Whether an address is that of one of the page's files. */
export function isJoinFile(url: string): boolean {
  const name = fileOf(url);
  return name !== null && name !== PAGE;
}

function answer(request: IncomingMessage, response: ServerResponse, file: BuiltFile): void {
  for (const [name, value] of Object.entries(file.headers)) response.setHeader(name, value);
  if (request.headers["if-none-match"] === file.etag) {
    response.writeHead(304).end();
    return;
  }
  const accepted = request.headers["accept-encoding"] ?? "";
  const encoding = ENCODINGS.find(({ name }) => file.encoded.has(name) && accepts(accepted, name));
  const body = (encoding === undefined ? undefined : file.encoded.get(encoding.name)) ?? file.bytes;
  if (encoding !== undefined) response.setHeader("content-encoding", encoding.name);
  response.writeHead(200, { "content-length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** True if an Accept-Encoding names the encoding without refusing it. */
function accepts(header: string, name: string): boolean {
  return header
    .split(",")
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    )
    .some(([encoding, quality = ""]) => encoding === name && !/^q=0(?:\.0*)?$/.test(quality));
}

async function readBuilt(): Promise<ReadonlyMap<string, BuiltFile>> {
  const names = await readdir(JOIN_FOLDER);
  const bytes = new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(JOIN_FOLDER, name))] as const)),
  );
  const files = new Map<string, BuiltFile>();
  for (const [name, content] of bytes) {
    const type = TYPES[name.split(".").at(-1) ?? ""];
    if (type === undefined) continue;
    const encoded = ENCODINGS.flatMap(({ name: encoding, ending }) => {
      const compressed = bytes.get(name + ending);
      return compressed === undefined ? [] : [[encoding, compressed] as const];
    });
    const etag = `"${createHash("sha256").update(content).digest("base64url")}"`;
    const isPage = name === PAGE;
    files.set(name, {
      etag,
      bytes: content,
      encoded: new Map(encoded),
      headers: {
        "content-type": type,
        "content-security-policy": isPage
          ? coordinatorPolicy(styleSources(content.toString()))
          : staticPolicy(false),
        // The names of all other files contain their hashes.
        "cache-control": isPage || name === SHELL_LIST ? "no-cache" : "public, max-age=31536000, immutable",
        vary: "accept-encoding",
        etag,
      },
    });
  }
  return files;
}
