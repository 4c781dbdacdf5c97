import { spawnSync } from "node:child_process";
import { delimiter, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const HELP = `npm run check [-- --fix]

Types, format and lint, layers, dead code. --fix lets Biome mend what it can.`;

const values = readFlags();
if (values.help === true) {
  console.log(HELP);
  process.exit(0);
}

const binFolder = resolve("node_modules", ".bin");
const bin = (name: string) => join(binFolder, name);
/** The tools' `env node` must find the pinned Node first. */
const env = { ...process.env, PATH: `${binFolder}${delimiter}${process.env["PATH"] ?? ""}` };
const CHECKS: readonly (readonly [name: string, ...command: string[]])[] = [
  ["routes", bin("next"), "typegen", "web"],
  ["types of shared", bin("tsc"), "-p", "shared"],
  ["types of shared/engine", bin("tsc"), "-p", join("shared", "engine")],
  ["types of shared/node", bin("tsc"), "-p", join("shared", "node")],
  ["types of everything else", bin("tsc"), "-p", "."],
  ["types of web", bin("tsc"), "-p", "web"],
  ["format and lint", bin("biome"), "check", ...(values.fix === true ? ["--write"] : []), "."],
  ["lint with types", bin("oxlint"), "--type-aware", "--deny-warnings"],
  [
    "layers",
    bin("depcruise"),
    "--config",
    ".dependency-cruiser.mjs",
    "shared",
    "coordinator",
    "client",
    "web",
  ],
  ["dead code", bin("knip"), "--no-progress"],
];

let failed = 0;
for (const [name, command, ...args] of CHECKS) {
  const started = performance.now();
  const result = spawnSync(command as string, args, { encoding: "utf8", env });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const passed = result.status === 0;
  console.log(`${passed ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  if (!passed) {
    failed += 1;
    console.log(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}`);
  }
}
process.exit(failed > 0 ? 1 : 0);

function readFlags() {
  try {
    return parseArgs({ options: { fix: { type: "boolean" }, help: { type: "boolean" } } }).values;
  } catch (fault) {
    console.error(`${fault instanceof Error ? fault.message : String(fault)}\nSee --help.`);
    process.exit(2);
  }
}
