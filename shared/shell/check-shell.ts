import { parseStrictText } from "../codec/strict-json.ts";
import { type Bytes, bytesToBase64Url, bytesToHex, utf8ToText } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { parseLeaf } from "../tlog/leaf.ts";
import type { TiledTree, TileError } from "../tlog/tiled-tree.ts";
import { SHELL_MANIFEST, type ShellManifest, shellHash, shellManifestSchema } from "./manifest.ts";

const JSON_BOUNDS = { entryCountMax: 1_000 };

/** What a host serves at a path of the page's list; null if nothing. */
export type ShellReader = (path: string) => Promise<Bytes | null>;

export interface CheckedShell {
  readonly manifest: ShellManifest;
  /** Hex. */
  readonly hash: string;
  readonly fileCount: number;
  readonly byteCount: number;
}

export type ShellFault =
  | { readonly type: "no-list" }
  | { readonly type: "bad-list" }
  | { readonly type: "no-file"; readonly path: string }
  | { readonly type: "changed-file"; readonly path: string };

/** Holds every file that a host serves against the list that it serves. Rule A53. */
export async function checkShell(
  primitives: Primitives,
  read: ShellReader,
): Promise<Result<CheckedShell, ShellFault>> {
  const bytes = await read(SHELL_MANIFEST);
  if (bytes === null) return err({ type: "no-list" });
  const manifest = readManifest(bytes);
  if (manifest === null) return err({ type: "bad-list" });
  let byteCount = 0;
  for (const [path, hash] of Object.entries(manifest.files)) {
    const file = await read(path);
    if (file === null) return err({ type: "no-file", path });
    if (bytesToBase64Url(await primitives.sha256(file)) !== hash) return err({ type: "changed-file", path });
    byteCount += file.length;
  }
  const hash = bytesToHex(await shellHash(primitives, manifest));
  return ok({ manifest, hash, fileCount: Object.keys(manifest.files).length, byteCount });
}

function readManifest(bytes: Bytes): ShellManifest | null {
  const text = utf8ToText(bytes);
  const json = text === undefined ? null : parseStrictText(text, "The list", JSON_BOUNDS);
  const parsed = json?.ok === true ? shellManifestSchema.safeParse(json.value) : null;
  return parsed?.success === true ? parsed.data : null;
}

/** The page that a log says is served now. */
export interface LoggedShell {
  /** Hex. */
  readonly hash: string;
  readonly index: number;
  /** Unix milliseconds. */
  readonly at: number | null;
}

/** Leaves that are read at once, from the newest: those of one bundle. */
const STEP = 256;

/** The newest leaf `shell.published`; null if there is none. */
export async function loggedShell(tree: TiledTree): Promise<Result<LoggedShell | null, TileError>> {
  for (let end = tree.head.size; end > 0; ) {
    const begin = Math.floor((end - 1) / STEP) * STEP;
    const leaves = await tree.leaves(begin, end);
    if (!leaves.ok) return leaves;
    for (const [offset, bytes] of Array.from(leaves.value.entries()).reverse()) {
      const leaf = parseLeaf(bytes);
      if (leaf.ok && leaf.value.kind === "shell.published")
        return ok({ hash: leaf.value.facts.hash, index: begin + offset, at: leaf.value.at });
    }
    end = begin;
  }
  return ok(null);
}
