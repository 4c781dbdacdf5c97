import { existsSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, present } from "#shared/kernel/assert.ts";

/*
 * The edge as a package of its own: the modules that its command reaches, with their types removed, because Node runs no
 * TypeScript below node_modules. Lines keep their numbers, so stacks point into the sources.
 */

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const COMMAND = "client/commands/edge.ts";
/** A native package for GPUs, 60 MB. Whoever wants it installs it beside the edge. */
const EXTRAS = ["webgpu"];
/** Imports, static and dynamic, and the addresses of workers. */
const SPECIFIER = /(\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)"([@#.\w][\w@./#-]*)"/g;

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string }>>;
}

/** Writes the package's files into `folder`. Versions of its dependencies are those of the lock file. */
export async function stageEdge(folder: string): Promise<void> {
  const packages = new Set<string>();
  for (const [path, source] of await modulesFrom(COMMAND, packages)) {
    const target = join(folder, path.replace(/\.ts$/, ".js"));
    await mkdir(dirname(target), { recursive: true });
    const script = withScriptNames(stripTypeScriptTypes(source));
    const isCommand = path === COMMAND;
    await writeFile(target, isCommand ? `#!/usr/bin/env node\n${script}` : script, {
      mode: isCommand ? 0o755 : 0o644,
    });
  }
  await writeFile(join(folder, "package.json"), `${JSON.stringify(await manifestFor(packages), null, 2)}\n`);
  await cp(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  await writeFile(
    join(folder, "README.md"),
    "# Chorus edge\n\nOne device of a federation, with data from its own disk. `chorus-edge --help` lists its options, settings and exit codes.\n",
  );
}

/** Sources by path of the entry and all that it reaches. @param packages  Receives the names of other packages. */
async function modulesFrom(entry: string, packages: Set<string>): Promise<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (sources.has(path)) continue;
    const source = await readFile(join(ROOT, path), "utf8");
    sources.set(path, source);
    // Without comments and types: what only types need is not shipped.
    for (const [, , specifier = ""] of stripTypeScriptTypes(source).matchAll(SPECIFIER)) {
      const ours = ownPath(path, specifier);
      if (ours !== null) waiting.push(ours);
      else if (!specifier.startsWith("node:")) packages.add(packageOf(specifier));
    }
  }
  return sources;
}

/** Path below the root; null for another package's. */
function ownPath(from: string, specifier: string): string | null {
  if (specifier.startsWith("#shared/")) return specifier.slice(1);
  assert(!specifier.startsWith("#"), `the edge imports only shared/ beside client/: ${specifier}`);
  if (!specifier.startsWith(".")) return null;
  const path = relative(ROOT, resolve(ROOT, dirname(from), specifier));
  assert(existsSync(join(ROOT, path)), `${path} exists`);
  return path;
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function withScriptNames(source: string): string {
  return source.replaceAll(SPECIFIER, (whole, before: string, specifier: string) =>
    /^(?:\.|#shared\/).*\.ts$/.test(specifier) ? `${before}"${specifier.replace(/\.ts$/, ".js")}"` : whole,
  );
}

async function manifestFor(packages: ReadonlySet<string>): Promise<object> {
  const read = async (name: string) => JSON.parse(await readFile(join(ROOT, name), "utf8")) as unknown;
  const own = (await read("package.json")) as Manifest;
  const lock = (await read("package-lock.json")) as Lock;
  const versions = [...packages].sort().map((name) => {
    const { version } = present(lock.packages[`node_modules/${name}`], `${name} is in the lock file`);
    return [name, version] as const;
  });
  const isExtra = ([name]: readonly [string, string]) => EXTRAS.includes(name);
  return {
    name: "chorus-edge",
    version: own.version,
    description: "One device of a Chorus federation: trains on data of this machine, which stay here.",
    license: own.license,
    type: "module",
    engines: { node: ">=24" },
    bin: { "chorus-edge": COMMAND.replace(/\.ts$/, ".js") },
    imports: { "#shared/*": "./shared/*" },
    dependencies: Object.fromEntries(versions.filter((entry) => !isExtra(entry))),
    peerDependencies: Object.fromEntries(versions.filter(isExtra)),
    peerDependenciesMeta: Object.fromEntries(EXTRAS.map((name) => [name, { optional: true }])),
  };
}
