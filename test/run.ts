import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { ensureChromium } from "./kit/browser.ts";
import { unnamedSkips } from "./kit/skips.ts";

const HELP = `npm test [-- --only check,fast,integration,e2e]

Runs everything, one stage after the other: the checks (types, lint, layers, dead code), the fast tests (unit,
property, vectors, tidy), the integration tests (processes, databases) and the browser tests. It finds a browser by
itself, or installs one. The last line is "N passed, N failed".

If up to three files of the integration or browser tests fail, they run again, alone: processes on a busy machine meet
moments that no later run repeats. A file that passes then is named as UNSTEADY; one that fails twice is a failure.

CHORUS_TEST_COMPLETE=1  a skipped test is a failure, unless test/kit/skips.ts names it`;

const STAGES = ["check", "fast", "integration", "e2e"] as const;
type Stage = (typeof STAGES)[number];

/** Failed files that may run again. More than that is no accident. */
const AGAIN_MAX = 3;

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const { values } = parseArgs({ options: { only: { type: "string" }, help: { type: "boolean" } } });
if (values.help === true) {
  console.log(HELP);
  process.exit(0);
}
const wanted = values.only?.split(",") ?? [...STAGES];
const unknown = wanted.filter((name) => !STAGES.some((stage) => stage === name));
if (unknown.length > 0) {
  console.error(`Unknown stage ${unknown.join(", ")}: choose from ${STAGES.join(", ")}.`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "chorus-test-"));
const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const environment: NodeJS.ProcessEnv = { ...process.env };
for (const stage of STAGES.filter((name) => wanted.includes(name))) {
  console.log(`\n== ${stage}`);
  if (stage === "e2e") environment["CHORUS_CHROMIUM"] = await ensureChromium(console.log);
  const tally = stage === "check" ? await runChecks() : await runTests(stage);
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
}
rmSync(scratch, { recursive: true, force: true });
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

async function runChecks(): Promise<Tally> {
  const code = await run([join("test", "check.ts")], environment);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Runs one vitest project. */
async function runTests(stage: Exclude<Stage, "check">): Promise<Tally> {
  const { failedFiles, ...tally } = await runFiles(stage, []);
  const isFinal = stage === "fast" || failedFiles.length === 0 || failedFiles.length > AGAIN_MAX;
  if (isFinal) return tally;
  console.log(`\n== ${stage}, again: ${failedFiles.map((file) => relative(".", file)).join(", ")}`);
  const again = await runFiles(stage, failedFiles);
  for (const file of failedFiles.filter((name) => !again.failedFiles.includes(name)))
    console.error(`UNSTEADY: ${relative(".", file)} failed among others and passed alone.`);
  const stillPassed = tally.passed + tally.failed - again.failed;
  return { passed: stillPassed, failed: again.failed, skipped: tally.skipped };
}

interface FilesTally extends Tally {
  /** Absolute paths. */
  readonly failedFiles: readonly string[];
}

/** @param files  Empty means all files of the project. A run without a report counts as a failure. */
async function runFiles(stage: Exclude<Stage, "check">, files: readonly string[]): Promise<FilesTally> {
  const report = join(scratch, `${stage}.json`);
  const args = ["run", "--config", join("test", "vitest.config.ts"), "--project", stage, ...files];
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const code = await run([join("node_modules", "vitest", "vitest.mjs"), ...args, ...reporters], environment);
  try {
    const result: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(report, "utf8"));
    const count = (name: string) => Number(result[name] ?? 0);
    // A suite that fails to load has no failed tests, and an unhandled error has no test at all.
    const failed = Math.max(count("numFailedTests"), count("numFailedTestSuites") > 0 || code !== 0 ? 1 : 0);
    const missing = process.env["CHORUS_TEST_COMPLETE"] === "1" ? unnamedSkips(result) : [];
    for (const test of missing)
      console.error(`SKIPPED, and this run is to be complete: ${test}. .ci/run installs what tests need.`);
    return {
      passed: count("numPassedTests"),
      failed: failed + missing.length,
      skipped: count("numPendingTests") + count("numTodoTests") - missing.length,
      failedFiles: missing.length > 0 ? [] : failedFilesOf(result),
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failedFiles: [] };
  } finally {
    rmSync(report, { force: true });
  }
}

/** Of a report of vitest's JSON reporter. */
function failedFilesOf(report: object): string[] {
  const { testResults } = report as { testResults: readonly { name: string; status: string }[] };
  return testResults.filter(({ status }) => status === "failed").map(({ name }) => name);
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: "inherit", env });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
