import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Bench } from "./line.ts";

const HELP = `npm run bench [-- NAME ... --only SIZE --profile --json | --markdown]

Runs the named benches, or all of them. --only SIZE runs only sizes with SIZE in their name. --profile shows where the
time goes, for a bench that can (round). --json prints one object per line: name, value, unit, and peer, peerValue and
ratio if something was compared in the same run. --markdown prints rows of a table. Figures from a shared machine vary;
compare ratios.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean" },
    markdown: { type: "boolean" },
    only: { type: "string" },
    profile: { type: "boolean" },
    help: { type: "boolean" },
  },
});
const benches = await loadBenches();
if (values.help === true) {
  console.log(`${HELP}\n\nNames: ${[...benches.keys()].join(", ")}`);
  process.exit(0);
}
const names = positionals.length > 0 ? positionals : [...benches.keys()];
for (const name of names) {
  const bench = benches.get(name);
  if (bench === undefined) {
    console.error(`There is no bench "${name}". Choose from ${[...benches.keys()].join(", ")}.`);
    process.exit(2);
  }
  for await (const line of bench.run({ only: values.only, profile: values.profile })) {
    if (values.json === true) {
      console.log(JSON.stringify(line));
      continue;
    }
    if (values.markdown === true) {
      const beside =
        line.peer === undefined ? "" : `${line.peer}: ${show(line.peerValue)} (${show(line.ratio)})`;
      console.log(`| ${line.name} | ${show(line.value)} ${line.unit} | ${beside} |`);
      continue;
    }
    const compared =
      line.peer === undefined
        ? ""
        : `   ${line.peer}: ${show(line.peerValue)} ${line.unit}, ratio ${show(line.ratio)}`;
    console.log(`${line.name.padEnd(44)} ${show(line.value)} ${line.unit}${compared}`);
  }
}
process.exit(0);

function show(value: number | undefined): string {
  if (value === undefined) return "";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Loads each file in this folder that exports `bench`. */
async function loadBenches(): Promise<Map<string, Bench>> {
  const found = new Map<string, Bench>();
  for (const file of readdirSync(new URL(".", import.meta.url)).sort()) {
    if (!file.endsWith(".ts") || file === "run.ts" || file === "line.ts") continue;
    const module: { bench?: Bench } = await import(new URL(file, import.meta.url).href);
    if (module.bench !== undefined) found.set(module.bench.name, module.bench);
  }
  return found;
}
