import { parseArgs } from "node:util";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { MEASURES } from "#shared/task/measures/index.ts";
import type { Ring } from "#shared/vector/ring.ts";
import type { TlsSetting } from "../../adapters/tls/open-tls.ts";
import { BUNDLED_TASKS, type BundledTask, DEFAULT_DATASET } from "../../data/tasks.ts";
import { TLS_HELP, tlsSetting } from "../tls-options.ts";

export const DEMO_HELP = `npm run demo [-- options]

Runs a federation on this machine: the coordinator with its pages, a bundled task, edge clients in processes of their
own with a part of the data each, and one run. Only masked updates leave an edge.

  --task NAME       ${BUNDLED_TASKS.join(", ")}; default digits
  --rounds N        rounds of the run; default 15
  --clients N       edge clients, at least 3; default 8, for cps1998 12: three for each region
  --alpha A         Dirichlet concentration of the classes over the clients; lower is more uneven; default 0.5.
                    Without effect on cps1998
  --ring BITS       32 (default), or 16: half the bytes of an update, rotated and rounded to 16 bits
  --seed S          seed of the split and the run; default 1
  --dataset PATH    another CSV file, or folder of IDX files (fashion-mnist)
  --data DIR        the coordinator's state; default .chorus
  --port P          default 3000
${TLS_HELP}
  --exit            stop everything after the run; the last line is one JSON object
                    {task, rounds, the task's measures (${MEASURES.map(({ name }) => name).join(", ")}), cohort, survivors, dropouts, seconds,
                    secondsPerRound, bytesUpPerClient}: the measures on the held-out rows, cohort and survivors of
                    the last round, dropouts and bytes of the run, the median time from one round's opening to the
                    next
  --api-only        no pages, so nothing has to be built
  --help

Ctrl-C stops everything. The next start resumes an open run.`;

/** Three for each of the four regions. */
const DEFAULT_CLIENT_COUNT: Readonly<Partial<Record<BundledTask, number>>> = { cps1998: 12 };
const RINGS: readonly Ring[] = [16, 32];

/** Where to get the data set that does not ship. */
export const FASHION_MNIST = `Fashion-MNIST is not part of this repository. On Debian: apt-get install dataset-fashion-mnist.
Elsewhere: put the four .gz files of https://github.com/zalandoresearch/fashion-mnist into a folder and pass it with --dataset.`;

export interface DemoOptions {
  readonly task: BundledTask;
  readonly rounds: number;
  readonly clientCount: number;
  readonly alpha: number;
  readonly ring: Ring;
  readonly seed: number;
  readonly datasetPath: string;
  readonly dataDir: string;
  readonly port: number;
  readonly tls: TlsSetting | null;
  readonly exit: boolean;
  readonly apiOnly: boolean;
}

/** Errors: a sentence that says what to do, or `help` if help was asked for. */
export function parseDemoOptions(
  args: readonly string[],
): Result<DemoOptions, "help" | { readonly sentence: string }> {
  const flags = readFlags(args);
  if (typeof flags === "string") return err({ sentence: flags });
  if (flags.help === true) return err("help");
  const task = BUNDLED_TASKS.find((name) => name === flags.task);
  if (task === undefined)
    return fail(`There is no task ${flags.task}. Choose from ${BUNDLED_TASKS.join(", ")}.`);
  const clientCount = whole(flags.clients ?? String(DEFAULT_CLIENT_COUNT[task] ?? 8));
  if (clientCount === null || clientCount < 3) {
    return fail(
      "A round needs at least 3 clients: with fewer, a sum would show what one of them sent. Give --clients 3 or more.",
    );
  }
  if (clientCount > LIMITS.rosterSizeMax)
    return fail(`A round takes at most ${LIMITS.rosterSizeMax} clients. Give a smaller --clients.`);
  const rounds = whole(flags.rounds);
  if (rounds === null || rounds < 1 || rounds > LIMITS.roundsMax)
    return fail(`--rounds is a whole number from 1 to ${LIMITS.roundsMax}.`);
  const seed = whole(flags.seed);
  if (seed === null || seed >= 2 ** 31) return fail("--seed is a whole number from 0 to 2147483647.");
  const ring = RINGS.find((bits) => String(bits) === flags.ring);
  if (ring === undefined) return fail("--ring is 16 or 32: the bits of a coordinate on the wire.");
  const port = whole(flags.port);
  if (port === null || port > 65_535) return fail("--port is a whole number from 0 to 65535.");
  const alpha = Number(flags.alpha);
  if (!(alpha > 0 && alpha <= 1e6)) return fail("--alpha is a positive number.");
  const tls = tlsSetting(flags.tls, flags["tls-cert"], flags["tls-key"]);
  if (!tls.ok) return fail(tls.error);
  return ok({
    task,
    rounds,
    clientCount,
    alpha,
    ring,
    seed,
    port,
    datasetPath: flags.dataset ?? DEFAULT_DATASET[task],
    dataDir: flags.data,
    tls: tls.value,
    exit: flags.exit === true,
    apiOnly: flags["api-only"] === true,
  });
}

function readFlags(args: readonly string[]) {
  const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        task: text("digits"),
        rounds: text("15"),
        clients: { type: "string" },
        alpha: text("0.5"),
        ring: text("32"),
        seed: text("1"),
        port: text("3000"),
        data: text(".chorus"),
        dataset: { type: "string" },
        tls: { type: "boolean" },
        "tls-cert": { type: "string" },
        "tls-key": { type: "string" },
        exit: { type: "boolean" },
        "api-only": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\nSee --help.`;
  }
}

function fail(sentence: string): Result<never, { readonly sentence: string }> {
  return err({ sentence });
}

function whole(text: string): number | null {
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}
