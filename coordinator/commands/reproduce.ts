import { parseArgs } from "node:util";
import { tokenPattern } from "#shared/access/tokens.ts";
import { primitives } from "#shared/node/system.ts";
import { siteAddressFault } from "#shared/protocol/site-address.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import { reproduceRound } from "#shared/transcript/reproduce-round.ts";
import {
  type AuditBearer,
  openAuditSource,
  readModelVersion,
  readRecord,
  readRun,
} from "../adapters/audit-source.ts";
import { sha256Digest } from "../adapters/sha256-digest.ts";
import { messageOf } from "../adapters/system-errors.ts";
import { environment, runCommand } from "./command.ts";

const HELP = `npm run reproduce -- RUN | TASK@VERSION [options]

Repeats what the coordinator did in a run, from the records and the published sums of its rounds: the first model, every
mean, every step of the strategy. The same bytes must come out for every model.

  RUN             a run, 32 hex digits; the last part of its page's address. All its rounds so far
  TASK@VERSION    one of a task's models, such as digits@78 or digits@champion. The rounds of its run up to it
  --token TOKEN   an API token with the scope "read", for the run's seed and its rounds. Or CHORUS_TOKEN
  --coordinator URL
                  default http://localhost:3000
  --help

It takes the sums as they are published. npm run verify checks that a sum is that of the devices' inputs.

Exit code 0: the same bytes. 1: a model is another one; the last line names it. 2: the run could not be
repeated, or not all of it; the last line says what is missing.`;

interface ReproduceOptions {
  readonly what: { readonly runId: string } | { readonly slug: string; readonly name: string };
  readonly url: string;
  readonly token: string | null;
}

process.exitCode = await runCommand(HELP, readOptions, perform);

async function perform(options: ReproduceOptions): Promise<number> {
  try {
    return await reproduce(options);
  } catch (error) {
    const hint = options.token === null ? ' Give an API token with the scope "read" with --token.' : "";
    console.error(messageOf(error) + hint);
    return 2;
  }
}

async function reproduce({ what, url, token }: ReproduceOptions): Promise<number> {
  const asks = async () => token;
  const version = "slug" in what ? await readModelVersion(url, what, asks) : null;
  if ("slug" in what && version === null) {
    console.error(
      `The coordinator has no model ${what.slug}@${what.name}, or does not show it without a token.`,
    );
    return 2;
  }
  const runId = "slug" in what ? (version?.runId ?? "") : what.runId;
  const committedCount = version === null ? ((await readRun(url, runId, asks))?.roundsCommitted ?? 0) : 0;
  const repeated = await repeatRounds(url, runId, version?.round ?? Number.POSITIVE_INFINITY, asks);
  if (repeated === null) return 1;
  const { last, madeCount, missing, unlinked } = repeated;
  if (last === null) {
    console.error("No round of this run has committed, or the coordinator does not show it without a token.");
    return 2;
  }
  if (missing !== null && (version !== null || madeCount < committedCount)) {
    console.error(
      `The coordinator has no record of round ${missing}, so it is unknown what came of the rounds from there on. Ask whoever runs it for that record.`,
    );
    return 2;
  }
  if (version !== null && version.modelHash !== last) {
    console.error(
      `WRONG (MODEL): the rounds give ${last}, and version ${version.version} is ${version.modelHash}.`,
    );
    return 1;
  }
  if (unlinked.length > 0) {
    console.error(
      `Each round gives its model, but it is unknown what these rounds began with: ${unlinked.join(", ")}. The notes above say which record is missing.`,
    );
    return 2;
  }
  console.log(`The same bytes: ${madeCount} models, the last one ${last}.`);
  return 0;
}

interface Repeated {
  /** Hash of the last model that came out; null if no round has committed. */
  readonly last: string | null;
  readonly madeCount: number;
  /** The first round up to `roundMax` that has no record; null if all have one. */
  readonly missing: number | null;
  /** Rounds that were not linked to those before them. */
  readonly unlinked: readonly number[];
}

/** Repeats a run's rounds up to `roundMax`, and says so. Null if a model is another one. */
async function repeatRounds(
  url: string,
  runId: string,
  roundMax: number,
  asks: AuditBearer,
): Promise<Repeated | null> {
  let last: string | null = null;
  let madeCount = 0;
  const unlinked: number[] = [];
  for (let round = 1; round <= roundMax; round++) {
    const roundId = await roundIdOf(primitives, runId, round);
    const record = await readRecord(url, roundId, asks);
    if (record === null) return { last, madeCount, missing: round, unlinked };
    if (record.phase !== "committed") {
      console.log(`Round ${round}: ${record.phase}, so it made no model.`);
      continue;
    }
    console.log(`Round ${round}`);
    const { claims, source } = await openAuditSource(primitives, url, roundId, asks);
    const report = (line: string) => console.log(`  ${line}`);
    const made = await reproduceRound(primitives, claims, source, { digest: sha256Digest, report });
    if (!made.ok) {
      console.error(`WRONG (${made.error.code}), round ${round}: ${made.error.sentence}`);
      return null;
    }
    if (!made.value.isLinked) unlinked.push(round);
    madeCount += 1;
    last = claims.modelHash;
  }
  return { last, madeCount, missing: null, unlinked };
}

/** Returns a sentence if an option is wrong, "help" if help was asked for. May throw what `parseArgs` throws. */
function readOptions(): ReproduceOptions | string {
  const { values, positionals } = parse();
  if (values.help === true) return "help";
  const [named = "", ...rest] = positionals;
  const what = rest.length > 0 ? null : whatOf(named);
  if (what === null)
    return "Name a run by its 32 hex digits, or a model such as digits@78 or digits@champion. See --help.";
  const fault = siteAddressFault("--coordinator", URL.parse(values.coordinator));
  if (fault !== null) return fault;
  const token = values.token ?? environment("CHORUS_TOKEN") ?? null;
  if (token !== null && !tokenPattern("api").test(token))
    return "--token is an API token, which begins with cht_. Your account's page (/account) makes one.";
  return { what, url: values.coordinator, token };
}

function whatOf(named: string): ReproduceOptions["what"] | null {
  if (/^[0-9a-f]{32}$/.test(named)) return { runId: named };
  const [, slug, name] = /^([a-z0-9][a-z0-9-]{0,63})@(\d{1,10}|[a-z]{1,20})$/.exec(named) ?? [];
  return slug === undefined || name === undefined ? null : { slug, name };
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      token: { type: "string" },
      coordinator: { type: "string", default: "http://localhost:3000" },
      help: { type: "boolean", short: "h" },
    },
  });
}
