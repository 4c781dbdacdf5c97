import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { assert } from "#shared/kernel/assert.ts";

/*
 * A copy of the product without a counter-measure, as the positive control of a security test: the attack that the
 * product refuses must succeed against the copy, or the test proves nothing. The product itself has no such switch.
 */

/** One place in the product's source, and its replacement. */
export interface Edit {
  /** Path from the repository's root, e.g. `shared/secagg/roster.ts`. */
  readonly file: string;
  /** Must occur in the file exactly once, or the control is outdated. */
  readonly find: string;
  readonly replace: string;
}

export interface Planted {
  /** The copy's root folder, for a process that runs a file in it. */
  readonly folder: string;
  /** Loads a module of the copy, with all its own imports from the copy. It has the original's type. */
  load<Module>(file: string): Promise<Module>;
  remove(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The rooms without a platform; adapters remain the product's own. */
const ROOMS = ["shared", "client/core", "coordinator/core"] as const;

/**
 * @param more  Further rooms that the copy needs, such as the test kit.
 * @throws AssertionFault if an edit does not match its file exactly once.
 */
export async function plant(edits: readonly Edit[], more: readonly string[] = []): Promise<Planted> {
  const folder = await mkdtemp(join(tmpdir(), "chorus-planted-"));
  for (const room of [...ROOMS, ...more]) await cp(join(ROOT, room), join(folder, room), { recursive: true });
  const { imports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { imports: unknown };
  await cp(join(ROOT, "tsconfig.json"), join(folder, "tsconfig.json"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", imports }));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const { file, find, replace } of edits) {
    const path = join(folder, file);
    const parts = (await readFile(path, "utf8")).split(find);
    assert(parts.length === 2, `${file} has "${find}" ${parts.length - 1} times, not once`);
    await writeFile(path, parts.join(replace));
  }
  return {
    folder,
    load: (file) => import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
