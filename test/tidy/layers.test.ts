import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

/*
 * A rule that cannot catch anything is worse than none: each one is shown the violation that it is there for.
 * dependency-cruiser passes silently over files that its parser cannot read, hence also a guard on the modules seen.
 */

const root = new URL("../..", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-layers-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Report {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly rule: { readonly name: string }; readonly from: string }[];
  };
}

function cruise(folder: string, targets: readonly string[]): Report {
  const args = ["--config", ".dependency-cruiser.mjs", "--output-type", "json", ...targets];
  const tool = join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
  const result = spawnSync(process.execPath, [tool, ...args], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  return JSON.parse(result.stdout) as Report;
}

/** A little house with one forbidden import in it. */
function houseWith(name: string, from: string, to: string, specifier: string): string {
  const folder = join(scratch, name);
  const files: Record<string, string> = { [to]: "export const there = 1;\n" };
  files[from] = `import { there } from "${specifier}";\nexport const here = there;\n`;
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const config of ["package.json", "tsconfig.json", ".dependency-cruiser.mjs"]) {
    cpSync(join(root, config), join(folder, config));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

describe("layers", () => {
  test("the tree keeps every rule, and its modules are really seen", () => {
    const report = cruise(root, ["shared", "coordinator", "client", "web"]);
    expect(report.summary.violations).toEqual([]);
    expect(report.summary.totalCruised).toBeGreaterThan(150);
  });

  test.each([
    [
      "shared-imports-nothing-of-ours",
      "shared/round/a.ts",
      "coordinator/core/b.ts",
      "#coordinator/core/b.ts",
    ],
    ["engine-only-from-adapters", "client/core/a.ts", "shared/engine/b.ts", "#shared/engine/b.ts"],
    ["layers-import-kernel-only", "shared/layers/a.ts", "shared/task/b.ts", "../task/b.ts"],
    ["node-only-from-the-edges", "coordinator/core/a.ts", "shared/node/b.ts", "#shared/node/b.ts"],
    ["crypto-imports-kernel-only", "shared/crypto/a.ts", "shared/codec/b.ts", "../codec/b.ts"],
    ["kernel-imports-nothing", "shared/kernel/a.ts", "shared/crypto/b.ts", "../crypto/b.ts"],
    ["coordinator-imports-shared-only", "coordinator/core/a.ts", "client/core/b.ts", "#client/core/b.ts"],
    ["client-imports-shared-only", "client/core/a.ts", "coordinator/core/b.ts", "#coordinator/core/b.ts"],
    ["web-uses-the-doors", "web/data/a.ts", "client/core/b.ts", "#client/core/b.ts"],
    ["web-words-draw-nothing", "web/words/a.ts", "web/ui/b.ts", "../ui/b.ts"],
    ["web-parts-know-no-feature", "web/chart/a.ts", "web/features/b.ts", "../features/b.ts"],
    ["core-never-imports-adapters", "client/core/a.ts", "client/adapters/b.ts", "../adapters/b.ts"],
  ])("%s catches its planted violation", (rule, from, to, specifier) => {
    const folder = houseWith(rule, from, to, specifier);
    const caught = cruise(folder, ["."]).summary.violations.map((violation) => violation.rule.name);
    expect(caught).toContain(rule);
  });

  test("shared-has-no-platform catches a Node module", () => {
    const folder = houseWith("platform", "shared/round/a.ts", "shared/round/b.ts", "./b.ts");
    writeFileSync(
      join(folder, "shared/round/b.ts"),
      'import { readFileSync } from "node:fs";\nexport const there = readFileSync;\n',
    );
    const caught = cruise(folder, ["."]).summary.violations.map((violation) => violation.rule.name);
    expect(caught).toContain("shared-has-no-platform");
  });

  test("tfjs-only-in-the-engine catches an import of tfjs", () => {
    const folder = houseWith("tfjs", "client/adapters/a.ts", "client/adapters/b.ts", "./b.ts");
    writeFileSync(
      join(folder, "client/adapters/b.ts"),
      'import { memory } from "@tensorflow/tfjs-core";\nexport const there = memory;\n',
    );
    const caught = cruise(folder, ["."]).summary.violations.map((violation) => violation.rule.name);
    expect(caught).toContain("tfjs-only-in-the-engine");
  });
});
