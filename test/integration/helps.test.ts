import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { KERNELS } from "#test/kit/compile-kernel.ts";

/* Every command of package.json lists its flags with --help, and does nothing else. */

const run = promisify(execFile);
const root = new URL("../..", import.meta.url).pathname;
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));

const modules = () => KERNELS.map(({ module }) => statSync(join(root, module)).mtimeMs);

describe("npm run NAME -- --help", () => {
  test.for(Object.entries(scripts).filter(([name]) => name !== "dev"))("%s", async ([name, script]) => {
    const before = modules();
    const [node = "", ...args] = script.split(" ");
    expect(node).toBe("node");
    const { stdout, stderr } = await run(process.execPath, [...args, "--help"], { cwd: root });
    expect(stdout).toContain(name === "test" ? "npm test" : `npm run ${name}`);
    expect(stderr).toBe("");
    expect(modules()).toEqual(before);
  });
});
