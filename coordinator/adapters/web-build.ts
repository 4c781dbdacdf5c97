import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OUTPUT = join(ROOT, "web", ".next");
/** The digest of the inputs that `web/.next` was built from. */
const MARK = join(OUTPUT, "chorus-inputs");
/** What the pages are made of. */
const INPUT_FOLDERS = ["web", "client", "shared"];
const INPUT_FILES = ["next.config.mjs", "package.json", "package-lock.json", "tsconfig.json"];

/**
 * Builds the pages, unless they were built from exactly these files.
 *
 * @param onOutput  Lines of the compiler.
 * @throws Error with the exit code where the build fails.
 */
export async function ensureWebBuild(onStart: () => void, onOutput: (text: string) => void): Promise<void> {
  const digest = await digestOfInputs();
  if (existsSync(join(OUTPUT, "BUILD_ID")) && (await readFile(MARK, "utf8").catch(() => "")) === digest)
    return;
  onStart();
  await build(onOutput);
  await writeFile(MARK, digest);
}

async function digestOfInputs(): Promise<string> {
  const paths = [...INPUT_FILES];
  for (const folder of INPUT_FOLDERS) {
    for (const entry of await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(ROOT.length);
      const generated = /^web\/\.next\/|next-env\.d\.ts$|\.tsbuildinfo$/.test(path.replaceAll("\\", "/"));
      if (entry.isFile() && !generated) paths.push(path);
    }
  }
  const digest = createHash("sha256").update(process.version);
  for (const path of paths.sort()) {
    const bytes = await readFile(join(ROOT, path));
    digest.update(`${path}\n${bytes.length}\n`).update(bytes);
  }
  return digest.digest("hex");
}

function build(onOutput: (text: string) => void): Promise<void> {
  const next = join(ROOT, "node_modules", "next", "dist", "bin", "next");
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" };
  const child = spawn(process.execPath, [next, "build", "web"], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  // Whoever stops this program does not want its compiler to go on.
  const end = () => void child.kill();
  process.once("exit", end);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      process.off("exit", end);
      if (code === 0) resolve();
      else
        reject(
          new Error(`The pages could not be built (next build ended with ${code}). Its messages are above.`),
        );
    });
  });
}
