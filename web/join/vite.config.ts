import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { defineConfig, type Plugin, type Rolldown } from "vite";

/*
 * The participant's page, apart from Next. Every address under /join/ gets the same HTML, so that its hash can be named in
 * advance.
 *
 * | file                     | fetched                                                                      |
 * | ------------------------ | ---------------------------------------------------------------------------- |
 * | index.html               | first; its words need no script, and their styles are in it                  |
 * | join-*.js, globals-*.css | at once, and run once the words are painted: all until the person agrees     |
 * | participant.worker-*.js  | then: the client core                                                        |
 * | agreed-*.js              | after the person has agreed, or for `learnt`                                 |
 * | trainer.worker-*.js      | then: an engine ends with its backend, so that it has a worker of its own    |
 * | tfjs-*.js                | with it                                                                      |
 * | rounds-*.js              | when the person starts: the socket and the protocol                          |
 * | tfjs-backend-wasm*.wasm  | if the engine is wasm                                                        |
 */

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
  base: "/_join/",
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
    plugins: () => [withoutJsonSchema()],
    rolldownOptions: {
      checks: CHECKS,
      onLog: quiet,
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
  plugins: [withoutJsonSchema(), wholePage()],
});

/** What a browser fetches before anyone agrees, besides the HTML. */
const AT_ONCE = /^(?:join-|participant\.worker-).*\.js$/;
/** Of brotli. The best takes ten times as long as a good one, for a tenth of the bytes. */
const BEST = 11;
const GOOD = 9;

/** Puts the styles into the HTML, which then says how much is being fetched, and compresses all files. */
function wholePage(): Plugin {
  return {
    name: "chorus-whole-page",
    // Other plugins may change what was generated; what was written is final.
    async writeBundle({ dir }, bundle) {
      if (dir === undefined) return this.error("the page is built into a folder");
      const path = (name: string) => join(dir, name);
      let html = await readFile(path("index.html"), "utf8");
      const [link = "", first] = /<link rel="stylesheet"[^>]*href="\/_join\/([^"]+)"[^>]*>/.exec(html) ?? [];
      const [tag = "", program] =
        /<script type="module"[^>]*src="(\/_join\/[^"]+)"[^>]*><\/script>/.exec(html) ?? [];
      const rest = Object.keys(bundle).find((name) => name.startsWith("globals-") && name.endsWith(".css"));
      if (first === undefined || program === undefined || rest === undefined)
        return this.error("the page lacks its first styles, its program or the rest of its styles");
      const styles = (await readFile(path(first), "utf8")).trim();
      await rm(path(first));
      html = html
        .replace(link, () => `<style>${styles}</style>`)
        .replace(tag, () => preloads(program, `/_join/${rest}`))
        .replace("%PROGRAM%", program);
      const names = Object.keys(bundle).filter((name) => name !== first && /\.(?:js|css|wasm)$/.test(name));
      const sizes = await Promise.all(
        names.map(async (name) => {
          const size = await compress(path(name), AT_ONCE.test(name) ? BEST : GOOD);
          return AT_ONCE.test(name) ? size : 0;
        }),
      );
      const byteCount = sizes.reduce((sum, size) => sum + size, 0);
      html = html.replace("%PROGRAM_SIZE%", `${Math.ceil(byteCount / 10_000) * 10} kB`);
      await writeFile(path("index.html"), html);
      await compress(path("index.html"), BEST);
    },
  };
}

/** Fetches the program and the rest of the styles while the words are painted. */
function preloads(program: string, styles: string): string {
  return `<link rel="preload" as="script" crossorigin href="${program}"><link rel="preload" as="style" href="${styles}">`;
}

/** Writes a file's compressed forms beside it. @returns Bytes of the smaller one. */
async function compress(path: string, quality: number): Promise<number> {
  const bytes = await readFile(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality };
  const [br, gz] = await Promise.all([promisify(brotliCompress)(bytes, { params }), promisify(gzip)(bytes)]);
  await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
  return br.length;
}
