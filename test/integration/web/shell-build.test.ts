import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { shellManifestSchema } from "#shared/shell/manifest.ts";
import { staticFaults } from "#shared/shell/static-faults.ts";

/* The build of the participant's page, from copies of the sources in folders of different names and depths. */

const ROOT = new URL("../../../", import.meta.url).pathname;
const SOURCES = ["web", "client", "shared", "package.json", "tsconfig.json"];

let folder: string;
const built: { readonly tree: string; readonly files: ReadonlyMap<string, Buffer> }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorus-shell-"));
  for (const name of ["one", "another place/with a longer name"])
    built.push(await buildIn(join(folder, name)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function buildIn(tree: string, change: (tree: string) => void = () => {}) {
  mkdirSync(tree, { recursive: true });
  for (const source of SOURCES) {
    cpSync(join(ROOT, source), join(tree, source), {
      recursive: true,
      filter: (path) => !/\/web\/\.(?:next|join)$/.test(path),
    });
  }
  symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  change(tree);
  const vite = join(tree, "node_modules/vite/bin/vite.js");
  const args = [vite, "build", "web/join", "--configLoader", "native", "--logLevel", "warn"];
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: "production" };
  await promisify(execFile)(process.execPath, args, { cwd: tree, env });
  const out = join(tree, "web", ".join");
  return {
    tree,
    files: new Map(
      readdirSync(out)
        .sort()
        .map((name) => [name, readFileSync(join(out, name))]),
    ),
  };
}

describe("built twice", () => {
  test("[A50] in different folders, the page is equal to the byte", () => {
    const [one, other] = built.map(({ files }) => files);
    expect(Array.from(one?.keys() ?? [])).toEqual(Array.from(other?.keys() ?? []));
    expect(one?.size).toBeGreaterThan(20);
    for (const [name, bytes] of one ?? [])
      expect([name, other?.get(name)?.equals(bytes)]).toEqual([name, true]);
  });

  test("[A50] no file names a folder or the day it was built", () => {
    for (const { tree, files } of built) {
      for (const [name, bytes] of files) {
        if (!/\.(?:js|html|css|json)$/.test(name)) continue;
        const text = bytes.toString();
        expect([name, text.includes(tree), text.includes(folder), text.includes(ROOT)]).toEqual([
          name,
          false,
          false,
          false,
        ]);
        expect([name, text.includes(new Date().toISOString().slice(0, 10))]).toEqual([name, false]);
      }
    }
  });
});

describe("npm run verify -- shell", () => {
  let files: Map<string, Buffer>;
  let server: Server;
  let page: string;
  beforeAll(async () => {
    server = createServer(({ url = "" }, response) => {
      const name = url.replace("/_join/", "").replace(/^\/join\/.*/, "index.html");
      const bytes = files.get(name);
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    page = `http://127.0.0.1:${(server.address() as AddressInfo).port}/join/digits`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    files = new Map(built[0]?.files);
  });

  const verify = async (...options: string[]) => {
    const args = [join(ROOT, "coordinator/commands/verify.ts"), "shell", page, ...options];
    return promisify(execFile)(process.execPath, args).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      (error: { code: number; stderr: string }) => ({ code: error.code, text: error.stderr }),
    );
  };
  const hashOfList = () =>
    createHash("sha256")
      .update(String(files.get("manifest.json")).trimEnd())
      .digest("hex");

  test("[A53] passes a page that is the one of a given hash", async () => {
    expect(await verify("--hash", hashOfList())).toMatchObject({ code: 0 });
    expect(await verify("--hash", "0".repeat(64))).toMatchObject({
      code: 1,
      text: expect.stringContaining("names another page"),
    });
    // There is no log here to hold it against.
    expect(await verify()).toMatchObject({ code: 2, text: expect.stringContaining("shows no log") });
  });

  test.each([
    ["the HTML", /^index\.html$/],
    ["a script", /^join-.*\.js$/],
    ["a worker", /^participant\.worker-.*\.js$/],
    ["WebAssembly", /^tfjs-backend-wasm-simd.*\.wasm$/],
  ])("[A53] refuses one changed byte in %s", async (_, pattern) => {
    const name = [...files.keys()].find((key) => pattern.test(key)) ?? "";
    const changed = Buffer.from(files.get(name) ?? []);
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
    files.set(name, changed);
    const { code, text } = await verify("--hash", hashOfList());
    expect(code).toBe(1);
    expect(text).toContain(`${name} is not the file that the list names`);
  });

  test.each([
    [["--coordinator", "https://a.example/path"], "--coordinator"],
    [["--hash", "abc"], "--hash is 64 hex digits."],
    [["--log-key", "__proto__"], "--log-key is 64 hex digits."],
    [["--nothing"], "See --help."],
  ])("[A53] does not begin with %j", async (options, sentence) => {
    expect(await verify(...options)).toMatchObject({ code: 2, text: expect.stringContaining(sentence) });
  });
});

describe("what the page may run", () => {
  test("[A50] its list names every file, and no file can run another", () => {
    const files = built[0]?.files ?? new Map<string, Buffer>();
    const manifest = shellManifestSchema.parse(JSON.parse(String(files.get("manifest.json"))));
    const names = Array.from(files.keys()).filter((name) => !/\.(?:br|gz)$|^manifest\.json$/.test(name));
    const paths = names.map((name) => (name === "index.html" ? "/join/index.html" : `/_join/${name}`));
    expect(Object.keys(manifest.files).sort()).toEqual(paths.sort());
    expect(manifest.wasm).toHaveLength(names.filter((name) => name.endsWith(".wasm")).length);
    for (const name of names) {
      if (/\.(?:js|html)$/.test(name))
        expect([name, staticFaults(name, String(files.get(name)))]).toEqual([name, []]);
    }
  });

  // Positive controls.
  test.each([
    ["join-x.js", "const later=()=>import(`./more.js`)", "calls import()"],
    ["join-x.js", 'import{a}from"./more.js"', "is a module"],
    ["index.html", "<script>run()</script>", "has a script inside"],
    ["index.html", '<body onload="run()">', "has a listener inside"],
    ["index.html", '<script nonce="x" src="a.js"></script>', "has a nonce"],
  ])("[A50] in %s, %s is found", (name, text, fault) => {
    expect(staticFaults(name, text)).toEqual([fault]);
  });

  test("[A50] a page with a script inside is not built", async () => {
    const building = buildIn(join(folder, "planted"), (tree) => {
      const path = join(tree, "web", "join", "index.html");
      writeFileSync(path, readFileSync(path, "utf8").replace("</body>", "<script>void 0</script></body>"));
    });
    await expect(building).rejects.toThrow("index.html has a script inside");
  });
});
