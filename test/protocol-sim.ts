import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Batch, Report } from "./kit/sim/batch.ts";
import { planOf } from "./kit/sim/plan.ts";
import { simulate } from "./kit/sim/simulate.ts";

const HELP = `npm run protocol-sim -- [--seeds N] [--from N] [--rounds N] [--workers N]
npm run protocol-sim -- --seed X [--rounds N]

Plays the real coordinator and real devices in simulated worlds, one for each seed: delay, loss, duplication,
reordering, partitions, crashes and dishonest devices, all drawn from the seed. The same seed plays the same world.
Every invariant is checked at every step. A seed that breaks one is named, and --seed X plays it again and prints
everything that happened. One seed in 1000 uses real cryptography, the others a fake. --rounds makes long runs. Ctrl-C
stops with a summary.`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "0" },
    rounds: { type: "string" },
    seed: { type: "string" },
    workers: { type: "string", default: String(Math.min(2, availableParallelism())) },
    help: { type: "boolean" },
  },
});
if (values.help === true) {
  console.log(HELP);
  process.exit(0);
}
const rounds = values.rounds === undefined ? undefined : wholeNumber("rounds", values.rounds);
process.exitCode =
  values.seed === undefined ? await playMany() : await playOne(wholeNumber("seed", values.seed));

async function playOne(seed: number): Promise<number> {
  const { lines, violations, traceHash, ends, runEnds } = await simulate(planOf(seed, rounds));
  for (const line of lines) console.log(line);
  console.log(`\nrounds: ${endsText(ends)}\nruns: ${endsText(runEnds)}\ntrace ${traceHash}`);
  for (const violation of violations) console.log(`BROKEN ${violation}`);
  return violations.length > 0 ? 1 : 0;
}

async function playMany(): Promise<number> {
  const count = wholeNumber("seeds", values.seeds);
  const first = wholeNumber("from", values.from);
  const workers = Math.max(1, Math.min(wholeNumber("workers", values.workers), count));
  const beganMs = performance.now();
  const ends = new Map<string, number>();
  const runEnds = new Map<string, number>();
  const broken: Report[] = [];
  let done = 0;
  let shownMs = beganMs;
  let stopped = false;
  const seconds = () => (performance.now() - beganMs) / 1_000;
  const onReport = (report: Report) => {
    done += 1;
    for (const [end, times] of report.ends) ends.set(end, (ends.get(end) ?? 0) + times);
    for (const [end, times] of report.runEnds) runEnds.set(end, (runEnds.get(end) ?? 0) + times);
    if (report.violations.length > 0) {
      broken.push(report);
      console.log(`BROKEN seed ${report.seed}: ${report.violations[0]}`);
    }
    if (performance.now() - shownMs < 5_000) return;
    shownMs = performance.now();
    console.log(
      `${done} of ${count} seeds, ${(done / seconds()).toFixed(0)} a second, ${broken.length} broken`,
    );
  };
  const children = Array.from({ length: workers }, (_, index) =>
    startWorker(onReport, {
      first: first + index,
      step: workers,
      end: first + count,
      ...(rounds === undefined ? {} : { rounds }),
    }),
  );
  process.once("SIGINT", () => {
    stopped = true;
    for (const { stop } of children) stop();
  });
  const whole = (await Promise.all(children.map(({ ended }) => ended))).every((code) => code === 0);
  const state = stopped ? "stopped at" : "played";
  console.log(
    `\n${state} ${done} of ${count} seeds in ${seconds().toFixed(0)} s, ${(done / seconds()).toFixed(0)} a second`,
  );
  console.log(`rounds: ${endsText(ends)}`);
  console.log(`runs: ${endsText(runEnds)}`);
  for (const { seed, violations } of broken) console.log(`BROKEN seed ${seed}: ${violations.join("; ")}`);
  if (broken.length > 0)
    console.log(
      `To play one again with everything that happened: npm run protocol-sim -- --seed ${broken[0]?.seed}`,
    );
  return broken.length > 0 || (!whole && !stopped) ? 1 : 0;
}

/** A process that plays every `step`-th seed. */
function startWorker(onReport: (report: Report) => void, batch: Batch) {
  const path = fileURLToPath(new URL("kit/sim/batch.ts", import.meta.url));
  const child = fork(path, [JSON.stringify(batch)], { execArgv: ["--max-semi-space-size=16"] });
  child.on("message", (report) => onReport(report as Report));
  const ended = new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? 1)));
  return { ended, stop: () => child.kill("SIGTERM") };
}

function endsText(ends: ReadonlyMap<string, number>): string {
  return [...ends]
    .sort()
    .map(([end, times]) => `${times} ${end}`)
    .join(", ");
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) {
    console.error(`--${name} takes a whole number, not "${text}".`);
    process.exit(2);
  }
  return Number(text);
}
