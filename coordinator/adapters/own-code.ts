import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { SHELL_LIST } from "#shared/node/shell.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { OwnCode } from "#shared/protocol/own-code.ts";
import { shellHash, shellManifestSchema } from "#shared/shell/manifest.ts";
import { ownCode } from "#shared/shell/own-code.ts";
import { JOIN_FOLDER } from "./web-build.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * What this program is, read once at its start.
 *
 * @param serves  Whether it serves a participant's page that was built and stays as it is.
 * @param given   Of CHORUS_COMMIT, for an image without Git's folder.
 */
export async function readOwnCode(
  primitives: Primitives,
  version: string,
  { serves, given }: { readonly serves: boolean; readonly given: string | undefined },
): Promise<OwnCode> {
  const commit = given !== undefined && COMMIT.test(given) ? given : await readCommit(ROOT);
  return ownCode(primitives, version, { shellHash: serves ? await servedShell(primitives) : null, commit });
}

async function servedShell(primitives: Primitives): Promise<HashHex> {
  const text = await readFile(join(JOIN_FOLDER, SHELL_LIST), "utf8");
  const hash = await shellHash(primitives, shellManifestSchema.parse(JSON.parse(text)));
  return bytesToHex(hash) as HashHex;
}

/**
 * The commit that a working tree stands at, read without Git. Whether files were changed since is not looked at.
 *
 * @returns Null without one, or if it cannot be read.
 */
export async function readCommit(root: string): Promise<string | null> {
  const folder = await gitFolder(join(root, ".git"));
  const head = folder === null ? null : await textOf(join(folder, "HEAD"));
  if (folder === null || head === null) return null;
  const [, ref] = /^ref: (refs\/[\w./-]+)$/.exec(head) ?? [];
  if (ref === undefined) return COMMIT.test(head) ? head : null;
  // A further working tree has a folder of its own, and shares branches with the first.
  const common = resolve(folder, (await textOf(join(folder, "commondir"))) ?? ".");
  const loose = (await textOf(join(folder, ref))) ?? (await textOf(join(common, ref)));
  const packed = loose === null ? await textOf(join(common, "packed-refs")) : null;
  const commit =
    loose ??
    packed
      ?.split("\n")
      .find((line) => line.endsWith(` ${ref}`))
      ?.split(" ")[0];
  return commit !== undefined && COMMIT.test(commit) ? commit : null;
}

/** A further working tree has a file there that names the folder. */
async function gitFolder(path: string): Promise<string | null> {
  const named = await textOf(path);
  if (named === null) return (await textOf(join(path, "HEAD"))) === null ? null : path;
  const [, folder] = /^gitdir: (.+)$/.exec(named) ?? [];
  return folder === undefined ? null : resolve(path, "..", folder);
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, "utf8").then(
    (text) => text.trim(),
    () => null,
  );
}
