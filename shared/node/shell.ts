import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { SHELL_FOLDER, SHELL_INDEX, type ShellManifest, shellManifest } from "../shell/manifest.ts";
import { shellPolicy } from "../shell/policy.ts";
import { VERSION } from "./version.ts";

/* The participant's page as it lies on disk: all of its files in one folder, some with compressed forms beside them. */

export const SHELL_HTML = "index.html";
/** The list of the files, which is not one of them. */
export const SHELL_LIST = "manifest.json";

/** Where a host serves a file, by its name on disk. */
export function shellPathOf(name: string): string {
  return name === SHELL_HTML ? SHELL_INDEX : SHELL_FOLDER + name;
}

/** Names of the page's own files, sorted. */
export async function shellFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name !== SHELL_LIST && !/\.(?:br|gz)$/.test(name)).sort();
}

/** Makes the list of a page that was built into a folder. */
export async function manifestOf(folder: string): Promise<ShellManifest> {
  const hashes = new Map<string, string>();
  for (const name of await shellFiles(folder)) {
    const bytes = await readFile(join(folder, name));
    hashes.set(shellPathOf(name), createHash("sha256").update(bytes).digest("base64url"));
  }
  const html = await readFile(join(folder, SHELL_HTML), "utf8");
  return shellManifest(VERSION, shellPolicy(styleSources(html)), hashes);
}

/** Sources of the styles inside the HTML, for its policy. */
export function styleSources(html: string): string {
  return [...html.matchAll(/<style>(.*?)<\/style>/gs)]
    .map(([, content = ""]) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`)
    .join(" ");
}
