import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { defineConfig, type Plugin, type Rolldown, transformWithOxc } from "vite";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { manifestOf, SHELL_LIST, shellFiles, styleSources } from "#shared/node/shell.ts";
import { metaPolicy } from "#shared/shell/policy.ts";
import { staticFaults } from "#shared/shell/static-faults.ts";
import { classicScripts, OWN_ADDRESS, relativeAddress } from "./classic-scripts.ts";

/*
 * The participant's page, apart from Next: plain files with relative addresses, which any host can serve. Every address
 * under /join/ gets the same HTML, so that its hash can be named in advance. Equal sources give equal bytes, in any folder
 * and at any time (A50), and no file contains `import()`: see classic-scripts.ts.
 *
 * | file                     | fetched                                                                      |
 * | ------------------------ | ---------------------------------------------------------------------------- |
 * | index.html               | first; its words need no script, and their styles are in it                  |
 * | first-*.js               | at once: begins the program once the words are painted                       |
 * | join-*.js, globals-*.css | at once: all until the person agrees                                         |
 * | participant.worker-*.js  | then: the client core                                                        |
 * | agreed-*.js              | after the person has agreed, or for `learnt`                                 |
 * | trainer.worker-*.js      | then: an engine ends with its backend, so that it has a worker of its own    |
 * | tfjs-*.js                | with it                                                                      |
 * | rounds-*.js              | when the person starts: the socket and the protocol                          |
 * | tfjs-backend-wasm*.wasm  | if the engine is wasm                                                        |
 *
 * index.html is served in a folder beside that of the others, which is named as `FILES` says.
 */

/** Folder of all other files, as index.html names it. */
const FILES = "../_join/";

/** What the rest of zod imports by name of the files that are left out. */
const JSON_SCHEMA_NAMES: Readonly<Record<string, readonly string[]>> = {
  "json-schema-processors": ["toJSONSchema"],
  "to-json-schema": ["createStandardJSONSchemaMethod", "createToJSONSchemaMethod"],
  "json-schema-generator": ["JSONSchemaGenerator"],
};

/**
 * Leaves out the part of zod that writes schemas as JSON Schema, which no page does. Every schema refers to it, so that nothing
 * else drops it.
 */
function withoutJsonSchema(): Plugin {
  return {
    name: "chorus-without-json-schema",
    load(id) {
      const [, file] =
        /\/zod\/v4\/core\/(json-schema-processors|to-json-schema|json-schema-generator)\.js$/.exec(id) ?? [];
      if (file === undefined) return null;
      const absent = 'const absent = () => () => { throw new Error("The page writes no JSON Schema."); };';
      return `${absent} export { ${JSON_SCHEMA_NAMES[file]?.map((name) => `absent as ${name}`).join(", ")} };`;
    },
  };
}

type Checks = NonNullable<Rolldown.InputOptions["checks"]>;
/** Next reads the directive "use client", which means nothing here. */
/** What zod takes from the parts that are left out is undefined, and never called. */
const CHECKS: Checks = { pluginTimings: false, importIsUndefined: false };
const quiet: NonNullable<Rolldown.InputOptions["onLog"]> = (level, log, handle) => {
  if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
};

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  experimental: { renderBuiltUrl: relativeAddress },
  // The package's entry is for older browsers than this page is for.
  resolve: { alias: [{ find: /^dexie$/, replacement: "dexie/dist/modern/dexie.mjs" }] },
  build: {
    outDir: "../.join",
    emptyOutDir: true,
    assetsDir: "",
    // A data address in the page's styles would be one more kind of source for its policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2_000,
    modulePreload: false,
    rolldownOptions: {
      checks: CHECKS,
      onLog: quiet,
      transform: { define: OWN_ADDRESS },
      // Only the worker encrypts and signs. The package does not say that it does nothing when it is imported.
      treeshake: { moduleSideEffects: [{ test: /\/node_modules\/tweetnacl\//, sideEffects: false }] },
      output: {
        entryFileNames: "join-[hash].js",
        chunkFileNames: "[name]-[hash].js",
        codeSplitting: {
          groups: [{ name: "join", tags: ["$initial"], priority: 1 }, { name: "agreed" }],
        },
      },
    },
  },
  worker: {
    format: "es",
    plugins: () => [withoutJsonSchema(), classicScripts()],
    rolldownOptions: {
      checks: CHECKS,
      onLog: quiet,
      transform: { define: OWN_ADDRESS },
      output: {
        codeSplitting: {
          groups: [
            { name: "tfjs", test: /node_modules\/(?:@tensorflow|seedrandom|long)\//, priority: 2 },
            { name: "worker", tags: ["$initial"], priority: 1 },
            { name: "rounds" },
          ],
        },
      },
    },
  },
  plugins: [withoutJsonSchema(), classicScripts(), wholePage()],
});

/** What a browser fetches before anyone agrees, besides the HTML. */
const AT_ONCE = /^(?:first-|join-|participant\.worker-).*\.js$/;
const COMPRESSED = /\.(?:js|css|svg|wasm)$/;
/** Of brotli. The best takes ten times as long as a good one, for a tenth of the bytes. */
const BEST = 11;
const GOOD = 9;

/** Puts the styles into the HTML, which then says how much is being fetched, and compresses all files. */
function wholePage(): Plugin {
  return {
    name: "chorus-whole-page",
    async generateBundle() {
      const path = fileURLToPath(new URL("./first.ts", import.meta.url));
      const { code } = await transformWithOxc(await readFile(path, "utf8"), path);
      this.emitFile({ type: "asset", name: "first.js", source: code });
    },
    // Other plugins may change what was generated; what was written is final.
    async writeBundle({ dir }, bundle) {
      if (dir === undefined) return this.error("the page is built into a folder");
      const path = (name: string) => join(dir, name);
      const named = (pattern: RegExp) =>
        Object.keys(bundle).find((name) => pattern.test(name)) ?? this.error(`no file is named ${pattern}`);
      const html = await readFile(path("index.html"), "utf8");
      const [link = "", styleFile = ""] =
        /<link rel="stylesheet"[^>]*href="\.\/([^"]+)"[^>]*>/.exec(html) ?? [];
      const [tag = ""] = /<script type="module"[^>]*><\/script>/.exec(html) ?? [];
      if (link === "" || tag === "") return this.error("the page lacks its first styles or its program");
      const styles = (await readFile(path(styleFile), "utf8")).trim();
      await rm(path(styleFile));
      const names = Object.keys(bundle).filter((name) => name !== styleFile && COMPRESSED.test(name));
      const sizes = await Promise.all(
        names.map(async (name) => {
          const size = await compress(path(name), AT_ONCE.test(name) ? BEST : GOOD);
          return AT_ONCE.test(name) ? size : 0;
        }),
      );
      const byteCount = sizes.reduce((sum, size) => sum + size, 0);
      const page = html
        .replace(link, () => `<style>${styles}</style>`)
        .replace(tag, () => begins(named(/^first-/), named(/^join-.*\.js$/), named(/^globals-.*\.css$/)))
        .replace('href="./icon', `href="${FILES}icon`)
        .replace("%PROGRAM_SIZE%", `${Math.ceil(byteCount / 10_000) * 10} kB`);
      await writeFile(path("index.html"), page.replace("%POLICY%", metaPolicy(styleSources(page))));
      await compress(path("index.html"), BEST);
      const manifest = await manifestOf(dir);
      for (const name of await shellFiles(dir)) {
        const [fault] = /\.(?:js|html)$/.test(name)
          ? staticFaults(name, await readFile(path(name), "utf8"))
          : [];
        if (fault !== undefined)
          return this.error(`${name} ${fault}, so that a list of hashes would not cover the page`);
      }
      await writeFile(path(SHELL_LIST), `${canonicalJson(manifest)}\n`);
    },
  };
}

/** Fetches the program and the rest of the styles while the words are painted. */
function begins(first: string, program: string, styles: string): string {
  return [
    `<script src="${FILES}${first}" data-program="${FILES}${program}" async></script>`,
    `<link rel="preload" as="script" href="${FILES}${program}">`,
    `<link rel="preload" as="style" href="${FILES}${styles}">`,
  ].join("");
}

/** Writes a file's compressed forms beside it. @returns Bytes of the smaller one. */
async function compress(path: string, quality: number): Promise<number> {
  const bytes = await readFile(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality };
  const [br, gz] = await Promise.all([promisify(brotliCompress)(bytes, { params }), promisify(gzip)(bytes)]);
  await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
  return br.length;
}
