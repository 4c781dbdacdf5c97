import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

/*
 * A rule that cannot catch anything is worse than none, so each rule is shown a violation. dependency-cruiser silently
 * skips files that its parser cannot read, so the number of modules is checked as well.
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

/** A small tree with one forbidden import. */
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
  test("the tree keeps every rule, and all its modules are read", () => {
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
    ["shared-knows-no-api", "shared/round/a.ts", "shared/protocol/api.ts", "../protocol/api.ts"],
    ["engine-only-from-adapters", "client/core/a.ts", "shared/engine/b.ts", "#shared/engine/b.ts"],
    ["shared-rooms-in-order", "shared/protocol/ids.ts", "shared/task/b.ts", "../task/b.ts"],
    ["shared-rooms-in-order", "shared/task/a.ts", "shared/protocol/frame.ts", "../protocol/frame.ts"],
    ["shared-rooms-in-order", "shared/vector/a.ts", "shared/data/b.ts", "../data/b.ts"],
    ["shared-rooms-in-order", "shared/protocol/a.ts", "shared/secagg/b.ts", "../secagg/b.ts"],
    ["shared-rooms-in-order", "shared/secagg/a.ts", "shared/round/b.ts", "../round/b.ts"],
    ["sample-is-for-makers", "shared/task/a.ts", "shared/sample/b.ts", "../sample/b.ts"],
    ["cohort-imports-kernel-only", "shared/cohort/a.ts", "shared/codec/b.ts", "../codec/b.ts"],
    ["privacy-imports-kernel-only", "shared/privacy/a.ts", "shared/codec/b.ts", "../codec/b.ts"],
    ["layers-import-kernel-only", "shared/layers/a.ts", "shared/task/b.ts", "../task/b.ts"],
    ["archive-and-pictures-import-kernel-only", "shared/pictures/a.ts", "shared/data/b.ts", "../data/b.ts"],
    ["node-only-from-the-edges", "coordinator/core/a.ts", "shared/node/b.ts", "#shared/node/b.ts"],
    ["crypto-imports-kernel-only", "shared/crypto/a.ts", "shared/codec/b.ts", "../codec/b.ts"],
    ["kernel-imports-nothing", "shared/kernel/a.ts", "shared/crypto/b.ts", "../crypto/b.ts"],
    ["coordinator-imports-shared-only", "coordinator/core/a.ts", "client/core/b.ts", "#client/core/b.ts"],
    ["client-imports-shared-only", "client/core/a.ts", "coordinator/core/b.ts", "#coordinator/core/b.ts"],
    ["web-uses-the-doors", "web/data/a.ts", "client/core/b.ts", "#client/core/b.ts"],
    ["web-words-draw-nothing", "web/words/a.ts", "web/ui/b.ts", "../ui/b.ts"],
    ["web-parts-know-no-feature", "web/chart/a.ts", "web/features/b.ts", "../features/b.ts"],
    ["core-rooms-in-order", "coordinator/core/ports/a.ts", "coordinator/core/views/b.ts", "../views/b.ts"],
    ["core-rooms-in-order", "coordinator/core/runs/a.ts", "coordinator/core/desks/b.ts", "../desks/b.ts"],
    ["core-rooms-are-known", "coordinator/core/ports/a.ts", "coordinator/core/more/b.ts", "../more/b.ts"],
    ["core-never-imports-adapters", "client/core/a.ts", "client/adapters/b.ts", "../adapters/b.ts"],
  ])("%s catches its planted violation", (rule, from, to, specifier) => {
    const folder = houseWith(`${rule}-${from.replaceAll("/", "-")}`, from, to, specifier);
    const caught = cruise(folder, ["."]).summary.violations.map((violation) => violation.rule.name);
    expect(caught).toContain(rule);
  });

  test.each([
    ["values", 'import { here } from "./a.ts";\nexport const there = (): unknown => here;\n'],
    ["types only", 'import type { here } from "./a.ts";\nexport const there = (one: typeof here) => one;\n'],
  ])("no-cycles catches a circle of %s", (kind, text) => {
    const folder = houseWith(`circle ${kind}`, "shared/round/a.ts", "shared/round/b.ts", "./b.ts");
    writeFileSync(join(folder, "shared/round/b.ts"), text);
    const caught = cruise(folder, ["."]).summary.violations.map((violation) => violation.rule.name);
    expect(caught).toContain("no-cycles");
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
