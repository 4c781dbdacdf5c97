import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * A Python with these packages, in a virtual environment outside the tree that is made once. Null if there is no Python 3 with
 * venv, or if the packages cannot be fetched.
 */
export async function pythonWith(packages: readonly string[]): Promise<string | null> {
  const name = createHash("sha256").update(packages.join()).digest("hex").slice(0, 16);
  const root = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "chorus-test");
  const folder = join(root, `python-${name}`);
  const python = join(folder, "bin", "python");
  if (existsSync(join(folder, "ready"))) return python;
  mkdirSync(root, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  try {
    // A virtual environment names its own place, so it cannot be made elsewhere and moved.
    await run("python3", ["-m", "venv", folder]);
    await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages]);
  } catch (error) {
    console.warn(`No Python with ${packages.join(", ")}: ${String(error).slice(0, 300)}`);
    return null;
  }
  mkdirSync(join(folder, "ready"));
  return python;
}

/** MLflow's client with what it needs to load exported models. */
export const MLFLOW_PACKAGES = ["mlflow-skinny==3.17.2", "pandas>=3", "onnxruntime>=1.18", "scipy"];

/** @throws with what the script wrote to its error stream. */
export async function runPython(
  python: string,
  script: string,
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await run(python, ["-c", script], {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, ...environment },
  });
  return stdout;
}
