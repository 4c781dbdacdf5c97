import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { type Bytes, utf8 } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import type { HashHex, TaskSlug } from "#shared/protocol/ids.ts";
import { checkShell, loggedShell } from "#shared/shell/check-shell.ts";
import { SHELL_MANIFEST, shellManifest } from "#shared/shell/manifest.ts";
import { MemoryLog } from "#test/kit/tlog.ts";

const PATHS = [
  "/join/index.html",
  "/_join/join-1.js",
  "/_join/participant.worker-1.js",
  "/_join/engine-1.wasm",
];

describe("a page that is served", () => {
  let files: Map<string, Bytes>;
  const read = async (path: string) => files.get(path) ?? null;
  const serve = (path: string, text: string) => files.set(path, utf8(text));
  beforeEach(() => {
    files = new Map(PATHS.map((path) => [path, utf8(`content of ${path}`)]));
    const hashes = Array.from(files).map(
      ([path, bytes]) => [path, createHash("sha256").update(bytes).digest("base64url")] as const,
    );
    serve(SHELL_MANIFEST, canonicalJson(shellManifest("1", "default-src 'self'", new Map(hashes))));
  });

  test("[A53] holds if each file is the one that the list names, whatever the list looks like as text", async () => {
    const checked = await checkShell(primitives, read);
    const text = new TextDecoder().decode(files.get(SHELL_MANIFEST));
    const hash = createHash("sha256").update(text).digest("hex");
    expect(checked).toMatchObject({ value: { hash, fileCount: 4 } });
    serve(SHELL_MANIFEST, JSON.stringify(JSON.parse(text), null, 2));
    expect(await checkShell(primitives, read)).toEqual(checked);
  });

  test.each(PATHS)("[A53] one changed byte in %s is refused", async (path) => {
    const bytes = Uint8Array.from(files.get(path) as Bytes);
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    files.set(path, bytes);
    expect(await checkShell(primitives, read)).toEqual({ ok: false, error: { type: "changed-file", path } });
  });

  test.each(PATHS)(
    "[A53] a list without %s has another hash, and a missing file is refused",
    async (path) => {
      const before = await checkShell(primitives, read);
      files.delete(path);
      expect(await checkShell(primitives, read)).toEqual({ ok: false, error: { type: "no-file", path } });
      const list = JSON.parse(new TextDecoder().decode(files.get(SHELL_MANIFEST))) as {
        files: Record<string, string>;
      };
      delete list.files[path];
      serve(SHELL_MANIFEST, JSON.stringify(list));
      const after = await checkShell(primitives, read);
      expect(after.ok && before.ok && after.value.hash !== before.value.hash).toBe(true);
    },
  );

  test.each([
    ["nothing", "no-list"],
    ["", "bad-list"],
    ["[]", "bad-list"],
    ["{", "bad-list"],
    ['{"files":{},"files":{}}', "bad-list"],
    ['{"__proto__":{"files":{}}}', "bad-list"],
    [`${"[".repeat(100_000)}`, "bad-list"],
  ])("[A53] %j is no list", async (text, type) => {
    if (text === "nothing") files.delete(SHELL_MANIFEST);
    else serve(SHELL_MANIFEST, text);
    expect(await checkShell(primitives, read)).toEqual({ ok: false, error: { type } });
  });
});

describe("the page that a log names", () => {
  const HASH = "1".repeat(64) as HashHex;
  const OTHER = "2".repeat(64) as HashHex;
  const archived = { slug: "digits" as TaskSlug, taskVersion: 1 };

  test("[A53] is that of the newest entry, however many there are since", async () => {
    const log = new MemoryLog(primitives);
    expect(await loggedShell(await log.tree())).toEqual({ ok: true, value: null });
    await log.add("shell.published", { app: "participant", hash: OTHER }, 1);
    await log.add("shell.published", { app: "participant", hash: HASH }, 2);
    for (let index = 0; index < 520; index++) await log.add("task.archived", archived);
    expect(await loggedShell(await log.tree())).toEqual({ ok: true, value: { hash: HASH, index: 1, at: 2 } });
    await log.add("shell.published", { app: "participant", hash: OTHER }, 3);
    expect(await loggedShell(await log.tree())).toMatchObject({ value: { hash: OTHER, index: 522 } });
  });
});
