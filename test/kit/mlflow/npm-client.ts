import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const VERSION = "2.0.7";
const CALLS = "node-calls.cjs";

/** A folder outside the tree with the npm package `mlflow`, made once. Null if it cannot be fetched. */
export async function npmClient(): Promise<string | null> {
  const root = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "chorus-test");
  const folder = join(root, `npm-mlflow-${VERSION}`);
  if (existsSync(join(folder, "ready"))) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  try {
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
    await run("npm", ["install", ...quiet, `mlflow@${VERSION}`], { cwd: folder });
  } catch (error) {
    console.warn(`No npm package mlflow: ${String(error).slice(0, 300)}`);
    return null;
  }
  mkdirSync(join(folder, "ready"));
  return folder;
}

/** What `node-calls.cjs` prints last. @throws with what it wrote to its error stream. */
export async function callAll(folder: string, uri: string, token: string): Promise<unknown> {
  // It finds the package from where it stands.
  copyFileSync(fileURLToPath(new URL(CALLS, import.meta.url)), join(folder, CALLS));
  const env = { ...process.env, MLFLOW_TRACKING_URI: uri, MLFLOW_TRACKING_TOKEN: token };
  const { stdout } = await run(process.execPath, [CALLS], { cwd: folder, env });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as unknown;
}
