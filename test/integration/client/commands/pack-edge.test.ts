import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEdgeFederation } from "#test/kit/worlds/edge-federation.ts";

/* The edge as a package, installed in a folder that knows nothing of this repository. */

const PACK = fileURLToPath(new URL("../../../../client/commands/pack-edge.ts", import.meta.url));
const EDGES = 3;
let folder: string;
let installed: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorus-pack-"));
  execFileSync(process.execPath, [PACK, "--to", folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [tarball = ""] = readdirSync(folder);
  writeFileSync(join(folder, "package.json"), "{}");
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"];
  execFileSync("npm", ["install", ...flags, `./${tarball}`], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  installed = join(folder, "node_modules", "chorus-edge");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("[O24] the package has the edge alone, without types, tests or native extras", () => {
  const files = readdirSync(installed, { recursive: true, encoding: "utf8" });
  expect(files.filter((name) => name.endsWith(".ts"))).toEqual([]);
  expect(new Set(readdirSync(installed))).toEqual(
    new Set(["LICENSE", "README.md", "client", "package.json", "shared"]),
  );
  expect(files.some((name) => name.includes("participant.worker"))).toBe(false);
  const { dependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of ["next", "react", "pg", "webgpu"]) expect(Object.keys(dependencies)).not.toContain(name);
  for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const ownBytes = files
    .map((name) => statSync(join(installed, name)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
  expect(ownBytes).toBeLessThan(2_000_000);
});

test("[O24] an edge that was installed from it takes part in a round", async () => {
  const federation = await openEdgeFederation(EDGES, null);
  try {
    const command = [join(folder, "node_modules", ".bin", "chorus-edge")];
    const packed = federation.start({ command, cwd: folder });
    for (let index = 1; index < EDGES; index++) federation.start();
    expect((await federation.round()).state).toBe("completed");
    await expect.poll(() => packed.output()).toContain(`in the sum, one of ${EDGES}`);
  } finally {
    await federation.close();
  }
});
