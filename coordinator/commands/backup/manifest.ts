import { z } from "zod";
import { err, ok, type Result } from "#shared/kernel/result.ts";

/*
 * What a backup holds, in its manifest.json:
 *
 * | path           | holds                                                                               |
 * | -------------- | ----------------------------------------------------------------------------------- |
 * | manifest.json  | this                                                                                |
 * | data/          | the data folder: keys, instance id, models, held-out rows; SQLite's database if used |
 * | database.dump  | PostgreSQL's database, in pg_dump's custom format                                    |
 *
 * The hashes find damage. They are not signed, so they find no forgery.
 */

export const MANIFEST_NAME = "manifest.json";
export const DATA_NAME = "data";
export const DUMP_NAME = "database.dump";
export const FORMAT = 1;
const FILES_MAX = 1_000_000;

const fileSchema = z.strictObject({
  /** From the backup's folder, with slashes. */
  path: z.string().refine(isSafePath, "not a path inside a backup"),
  byteCount: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const manifestSchema = z.strictObject({
  product: z.literal("chorus"),
  format: z.literal(FORMAT),
  /** Of the program that made the backup. */
  version: z.string().max(64),
  madeAt: z.iso.datetime(),
  database: z.enum(["embedded", "postgresql"]),
  instance: z.string().regex(/^[0-9a-f]{32}$/),
  /** The database's newest migration. */
  schema: z.string().regex(/^\d{4}-[a-z0-9-]{1,60}$/),
  /** Of the newest event. */
  position: z.int().min(0),
  newestEventAt: z.iso.datetime().nullable(),
  files: z.array(fileSchema).max(FILES_MAX),
  /** Files that the database names and the backup lacks: a model that does not match its hash, or one that is not there. */
  damaged: z.array(z.string()).max(FILES_MAX),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestFile = z.infer<typeof fileSchema>;

/**
 * `unreadable`: not the manifest of a backup. `newer-format`: of a later version of this program.
 */
export type ManifestRefusal = { readonly type: "unreadable" | "newer-format"; readonly reason: string };

/** Checks the text of a manifest.json before anything in it is used. */
export function readManifest(text: string): Result<Manifest, ManifestRefusal> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err({ type: "unreadable", reason: "it is not JSON" });
  }
  const later = z.object({ product: z.literal("chorus"), format: z.int().min(FORMAT + 1) }).safeParse(value);
  if (later.success) return err({ type: "newer-format", reason: `format ${later.data.format}` });
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return err({ type: "unreadable", reason: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}` });
  }
  const twice = firstTwice(parsed.data.files.map(({ path }) => path));
  if (twice !== null) return err({ type: "unreadable", reason: `${twice} is listed twice` });
  const needed = neededFiles(parsed.data.database);
  const listed = new Set(parsed.data.files.map(({ path }) => path));
  const lacking = needed.find((path) => !listed.has(path));
  if (lacking !== undefined) return err({ type: "unreadable", reason: `it does not list ${lacking}` });
  return ok(parsed.data);
}

/** Files without which no coordinator starts. */
function neededFiles(database: Manifest["database"]): readonly string[] {
  const names = ["instance.json", "issuer.key", ...(database === "embedded" ? ["chorus.db"] : [])];
  return [...names.map((name) => `${DATA_NAME}/${name}`), ...(database === "postgresql" ? [DUMP_NAME] : [])];
}

/** True for `data/...` and the dump: relative, without a step out of the folder. */
function isSafePath(path: string): boolean {
  if (path.length > 4_096 || /[\\\0]/.test(path)) return false;
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) return false;
  return path === DUMP_NAME || (parts[0] === DATA_NAME && parts.length > 1);
}

function firstTwice(paths: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const path of paths) {
    if (seen.has(path)) return path;
    seen.add(path);
  }
  return null;
}
