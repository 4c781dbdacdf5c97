import { parseArgs } from "node:util";

export const PRIVACY_HELP = `npm run privacy -- epsilon --q Q --sigma S --steps T --delta D [options]
npm run privacy -- sigma --epsilon E --q Q --steps T --delta D [options]
npm run privacy -- audit [--runs N] [--json]

Figures of differential privacy for researchers, and an audit of the noise as this program makes it.

  epsilon          what T steps of a sampled sum cost
  sigma            the smallest noise that costs at most E
  audit            three devices in one process, with and without a canary: clip, encode, noise, mask, add, unmask,
                   decode, divide. Takes about half a minute

  --q Q            each participant is in a step with this probability, by its own coin; 0 to 1
  --sigma S        standard deviation of the noise on the sum, over the clip; at least 0
  --epsilon E      above 0
  --steps T        a whole number, at least 0
  --delta D        above 0, at most 1
  --accountant rdp|pld
                   default rdp. pld is tighter and slower
  --runs N         sums with the canary, and as many without; default 5000, at least 100
  --json           one line, an object with the figure under its name
  --help

epsilon and sigma are for the continuous Gaussian, for adding or removing one participant. No computer draws it: the figures
of a run come from the bound for its discrete noise.

Exit code 0: done; the audit found nothing. 1: epsilon cannot be reached, or the audit failed. 2: bad options.`;

export type PrivacyOptions =
  | (Step & { readonly type: "epsilon"; readonly sigma: number })
  | (Step & { readonly type: "sigma"; readonly epsilon: number })
  | { readonly type: "audit"; readonly runs: number; readonly json: boolean };

interface Step {
  readonly q: number;
  readonly steps: number;
  readonly delta: number;
  readonly accountant: "rdp" | "pld";
  readonly json: boolean;
}

/** Options, "help", or a sentence about what is wrong. */
export function readPrivacyOptions(args: readonly string[]): PrivacyOptions | string {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      q: { type: "string" },
      sigma: { type: "string" },
      epsilon: { type: "string" },
      steps: { type: "string" },
      delta: { type: "string" },
      accountant: { type: "string" },
      runs: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return "help";
  const [type, ...more] = positionals;
  if (more.length > 0 || (type !== "epsilon" && type !== "sigma" && type !== "audit")) {
    return "Say one of epsilon, sigma and audit. See --help.";
  }
  const json = values.json === true;
  const given = new Map(Object.entries(values).map(([name, value]) => [name, String(value)]));
  const numbers = new Map<string, number>();
  for (const [name, { isWithin, range }] of Object.entries(takenBy(type))) {
    const text = given.get(name) ?? (name === "runs" ? "5000" : undefined);
    if (text === undefined) return `${type} needs --${name}, ${range}. See --help.`;
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!isWithin(value)) return `--${name} is ${range}; "${text}" is not.`;
    numbers.set(name, value);
  }
  const unknown = [...given.keys()].find((name) => {
    return name !== "json" && !(name in takenBy(type)) && !(name === "accountant" && type !== "audit");
  });
  if (unknown !== undefined) return `${type} takes no --${unknown}. See --help.`;
  const number = (name: string) => numbers.get(name) ?? Number.NaN;
  if (type === "audit") return { type, runs: number("runs"), json };
  const { accountant = "rdp" } = values;
  if (accountant !== "rdp" && accountant !== "pld")
    return `--accountant is rdp or pld; "${accountant}" is neither.`;
  const step: Step = { q: number("q"), steps: number("steps"), delta: number("delta"), accountant, json };
  return type === "epsilon"
    ? { type, sigma: number("sigma"), ...step }
    : { type, epsilon: number("epsilon"), ...step };
}

interface Range {
  isWithin(value: number): boolean;
  /** Ends "--name is ...". */
  readonly range: string;
}

const RANGES: Readonly<Record<"q" | "sigma" | "epsilon" | "steps" | "delta" | "runs", Range>> = {
  q: { isWithin: (value) => value >= 0 && value <= 1, range: "a number from 0 to 1" },
  sigma: { isWithin: (value) => value >= 0 && Number.isFinite(value), range: "a number of at least 0" },
  epsilon: { isWithin: (value) => value > 0 && Number.isFinite(value), range: "a number above 0" },
  steps: {
    isWithin: (value) => Number.isSafeInteger(value) && value >= 0,
    range: "a whole number of at least 0",
  },
  delta: {
    isWithin: (value) => value > 0 && value <= 1,
    range: "a number above 0 and at most 1, such as 1e-5",
  },
  runs: {
    isWithin: (value) => Number.isSafeInteger(value) && value >= 100 && value <= 10_000_000,
    range: "a whole number from 100 to 10,000,000",
  },
};

function takenBy(type: "epsilon" | "sigma" | "audit"): Readonly<Record<string, Range>> {
  const { q, sigma, epsilon, steps, delta, runs } = RANGES;
  if (type === "audit") return { runs };
  return type === "epsilon" ? { q, sigma, steps, delta } : { epsilon, q, steps, delta };
}
