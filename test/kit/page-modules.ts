import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import type { BrowserContext } from "playwright";

/*
 * Serves the product's own modules to a page from the disk: types are stripped, and an import map locates the packages.
 * For tests of browser features, without a build.
 */

const root = new URL("../..", import.meta.url).pathname;
const PREFIX = "/test-modules/";
const at = (path: string) => `${PREFIX}${path}`;
const IMPORTS: Readonly<Record<string, string>> = {
  "#shared/": at("shared/"),
  "#client/": at("client/"),
  "#test/": at("test/"),
  "@noble/hashes/": at("node_modules/@noble/hashes/"),
  "@noble/ciphers/": at("node_modules/@noble/ciphers/"),
  "@scure/base": at("node_modules/@scure/base/index.js"),
  nanotar: at("node_modules/nanotar/dist/index.mjs"),
  "@msgpack/msgpack": at("node_modules/@msgpack/msgpack/dist.esm/index.mjs"),
  "socket.io-client": at("node_modules/socket.io-client/dist/socket.io.esm.min.js"),
  dexie: at("node_modules/dexie/dist/modern/dexie.mjs"),
  zod: at("node_modules/zod/index.js"),
  tweetnacl: at("node_modules/tweetnacl/nacl-fast.js"),
  fflate: at("node_modules/fflate/esm/browser.js"),
  "@jsquash/": at("node_modules/@jsquash/"),
  papaparse: at("node_modules/papaparse/papaparse.min.js"),
};
/** Packages written for `require`. */
const COMMON = new Set(["tweetnacl", "papaparse"].map((name) => IMPORTS[name]));

/**
 * Answers `origin/test-page` with an empty page that runs `entry`; all other requests of that origin go to the server.
 *
 * @param entry  A module of the repository, as a path from its root.
 */
export async function servePage(context: BrowserContext, origin: string, entry: string): Promise<string> {
  const page = `${origin}/test-page`;
  const html = `<!doctype html><meta charset="utf-8"><title>test</title>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module" src="${at(entry)}"></script>`;
  await context.route(page, (route) => route.fulfill({ contentType: "text/html", body: html }));
  await context.route(`${origin}${PREFIX}**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path.endsWith(".wasm")) return route.fulfill({ path: join(root, path.slice(PREFIX.length)) });
    return route.fulfill({ contentType: "text/javascript", body: await moduleAt(path) });
  });
  return page;
}

async function moduleAt(path: string): Promise<string> {
  const text = await readFile(join(root, path.slice(PREFIX.length)), "utf8");
  if (path.endsWith(".ts")) return stripTypeScriptTypes(text);
  if (!COMMON.has(path)) return text;
  return `const module = { exports: {} }; const exports = module.exports;
(function () {${text}
}).call(globalThis);
export default module.exports;`;
}
