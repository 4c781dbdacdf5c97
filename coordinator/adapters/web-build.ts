import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NEXT_FOLDER = join(ROOT, "web", ".next");
/** Files of the participant's page. */
export const JOIN_FOLDER = join(ROOT, "web", ".join");
/** Digest of the inputs that both were built from. */
const MARK = join(NEXT_FOLDER, "chorus-inputs");
/** How often the first build of the watcher is looked for. */
const POLL_MS = 100;
/** Sources of the pages. */
const INPUT_FOLDERS = ["web", "client", "shared"];
const INPUT_FILES = ["next.config.mjs", "package.json", "package-lock.json", "tsconfig.json"];

/**
 * Builds the pages unless they are up to date with these sources.
 *
 * @param onOutput  Output of the compiler.
 * @throws Error with the exit code if the build fails.
 */
export async function ensureWebBuild(onStart: () => void, onOutput: (text: string) => void): Promise<void> {
  if ((await webBuildState()) === "current") return;
  const digest = await digestOfInputs();
  onStart();
  // Only a build that has both is current.
  await rm(MARK, { force: true });
  await Promise.all(BUILDS.map((build) => run(build, onOutput).ended));
  await writeFile(MARK, digest);
}

/** Builds the participant's page anew whenever one of its sources changes. */
export function watchJoinPage(onOutput: (text: string) => void): JoinWatcher {
  const first = rm(JOIN_FOLDER, { recursive: true, force: true }).then(() => {
    const { child, ended } = run({ ...JOIN_BUILD, args: [...JOIN_BUILD.args, "--watch"] }, onOutput);
    ended.catch((fault: unknown) => onOutput(`${fault instanceof Error ? fault.message : String(fault)}\n`));
    return child;
  });
  return {
    built: async () => {
      const child = await first;
      while (!existsSync(join(JOIN_FOLDER, "index.html")) && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    },
    stop: async () => void (await first).kill(),
  };
}

export interface JoinWatcher {
  /** Resolves once the page is built for the first time, or cannot be. */
  built(): Promise<void>;
  stop(): Promise<void>;
}

/** Whether the built pages belong to these sources. */
export async function webBuildState(): Promise<"current" | "stale" | "missing"> {
  const built = [join(NEXT_FOLDER, "BUILD_ID"), join(JOIN_FOLDER, "index.html")];
  if (!built.every((path) => existsSync(path))) return "missing";
  const mark = await readFile(MARK, "utf8").catch(() => "");
  return mark === (await digestOfInputs()) ? "current" : "stale";
}

async function digestOfInputs(): Promise<string> {
  const paths = [...INPUT_FILES];
  for (const folder of INPUT_FOLDERS) {
    for (const entry of await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(ROOT.length);
      const generated = /^web\/\.(?:next|join)\/|next-env\.d\.ts$|\.tsbuildinfo$/.test(
        path.replaceAll("\\", "/"),
      );
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

interface Build {
  readonly name: string;
  /** Of Node, from the repository's root. */
  readonly args: readonly string[];
}

const NEXT_BUILD: Build = { name: "next build", args: [inPackages("next/dist/bin/next"), "build", "web"] };
const JOIN_BUILD: Build = {
  name: "vite build",
  args: [
    inPackages("vite/bin/vite.js"),
    "build",
    "web/join",
    "--configLoader",
    "native",
    "--logLevel",
    "warn",
  ],
};
const BUILDS = [NEXT_BUILD, JOIN_BUILD];

function inPackages(path: string): string {
  return join(ROOT, "node_modules", path);
}

/** Starts a compiler. `ended` rejects if it fails. Stopping this program stops it. */
function run({ name, args }: Build, onOutput: (text: string) => void) {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  const end = () => void child.kill();
  process.once("exit", end);
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      process.off("exit", end);
      if (code === 0 || signal === "SIGTERM") resolve();
      else
        reject(
          new Error(`The pages could not be built (${name} exited with ${code}). Its messages are above.`),
        );
    });
  });
  return { child, ended };
}
