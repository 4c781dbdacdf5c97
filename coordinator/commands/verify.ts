import { parseArgs } from "node:util";
import { tokenPattern } from "#shared/access/tokens.ts";
import { checkServedHeads } from "#shared/audit/stated-heads.ts";
import { ok } from "#shared/kernel/result.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import { siteAddressFault } from "#shared/protocol/site-address.ts";
import type { Pins } from "#shared/transcript/check-task.ts";
import { type Checked, withheld } from "#shared/transcript/fault.ts";
import { type VerifiedRound, verifyRound } from "#shared/transcript/verify-round.ts";
import { openAuditSource, passBearer } from "../adapters/audit-source.ts";
import { readAuditorKey } from "../adapters/auditor-key.ts";
import { servedLog } from "../adapters/served-log.ts";
import { sha256Digest } from "../adapters/sha256-digest.ts";
import { environment } from "./command.ts";
import { verifyShell } from "./verify/shell.ts";

const CHUNKS_DEFAULT = 16;

const HELP = `npm run verify -- round ID --auditor-key FILE [options]
npm run verify -- shell URL [options]         checks a participant's page; see npm run verify -- shell --help

Checks a committed round from outside, as far as the coordinator still keeps it: that every device signed what is
attributed to it, that the shares rebuild the secrets which devices announced, that the published sum is the sum of
the devices' masked inputs, that the evidence matches the round's commitment, and that the next model follows from the
published sum, bit for bit. Each device signed what it saw of the public log: the log that is served now must go on from
each of these states.

  ID                the round, 32 hex digits; the last part of its page's address
  --auditor-key FILE
                    the auditor's secret key, 64 hex digits; the demo's is auditor.key in its data folder
  --chunks N        recompute N chunks of 64 KiB of the sum, drawn at random; default ${CHUNKS_DEFAULT}
  --all             recompute all of them
  --issuer HEX      require this key to have certified the devices, 64 hex digits
  --config HEX      require this hash of the config that devices agreed to, 64 hex digits
  --token TOKEN     an API token of an auditor with the scope "audit", in place of a pass that the key opens;
                    or CHORUS_TOKEN
  --coordinator URL default http://localhost:3000
  --help

Exit code 0: everything that was checked holds. 1: something does not; the last line names it. 2: the round could not
be checked. A missing part of a round whose transcript is served counts as 1, and so does a log that denies what a device
saw of it (SPLIT_VIEW): two logs were shown.`;

/** A coordinator that may refuse an answer and be asked again influences which draw counts. */
const ODDS_START_ANEW =
  "This draw does not count. The next try has odds of its own, and trying until one succeeds proves nothing.";

const [noun, ...args] = process.argv.slice(2);
process.exitCode = noun === "shell" ? await verifyShell(args) : await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === "help") {
    console.log(HELP);
    return 0;
  }
  if (typeof options === "string") {
    console.error(options);
    return 2;
  }
  let drawing = false;
  try {
    const auditorKey = await readAuditorKey(options.keyPath);
    const { claims, source, detail } = await openAuditSource(
      primitives,
      options.url,
      options.roundId,
      options.token === undefined
        ? passBearer(primitives, options.url, auditorKey)
        : async () => options.token ?? null,
    );
    console.log(`Round ${detail.round} of run ${detail.runNumber} of ${detail.task}.`);
    const beganMs = performance.now();
    drawing = true;
    const verified = await verifyRound(primitives, claims, source, {
      auditorKey,
      chunks: options.chunks,
      pins: options.pins,
      random: randomBytes,
      digest: sha256Digest,
      report: (line) => console.log(line),
    });
    const stated = verified.ok ? await checkLogOf(verified.value, options.url) : verified;
    const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
    if (stated.ok) {
      console.log(stated.value);
      console.log(`Everything that was checked holds (${seconds} s).`);
      return 0;
    }
    const { code, sentence } = stated.error;
    if (code === "NOT_KEPT" || code === "AUDITOR_KEY" || code === "OLD_VERSION") {
      console.error(sentence);
      return 2;
    }
    console.error(`WRONG (${code}): ${sentence}`);
    return 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (drawing) console.error(ODDS_START_ANEW);
    return 2;
  }
}

/** Holds what the devices signed of the public log against the log that is served. @throws Error if it cannot be read. */
async function checkLogOf({ log }: VerifiedRound, base: string): Promise<Checked<string>> {
  if (log === null) return ok("Devices agreed to no public log, so no input states one.");
  const served = await servedLog(new URL(base));
  return served === null
    ? withheld("The public log, which devices agreed to,")
    : checkServedHeads(primitives, log, served, log.heads);
}

interface VerifyOptions {
  readonly roundId: string;
  readonly keyPath: string;
  readonly chunks: number | "all";
  readonly pins: Pins;
  readonly url: string;
  readonly token: string | undefined;
}

/** Returns a sentence if an option is wrong, "help" if help was asked for. */
function readOptions(): VerifyOptions | string {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\nSee --help.`;
  }
  const { values, positionals } = parsed;
  if (values.help === true) return "help";
  const [noun, roundId = "", ...rest] = positionals;
  if (noun !== "round" || rest.length > 0 || !/^[0-9a-f]{32}$/.test(roundId))
    return "Name the round: npm run verify -- round ID, with the 32 hex digits from its page's address.";
  const keyPath = values["auditor-key"];
  if (keyPath === undefined)
    return "Give the file of the auditor's secret key with --auditor-key; the demo's is auditor.key in its data folder.";
  if (values.all === true && values.chunks !== undefined) return "Give either --chunks or --all.";
  const count = values.chunks ?? String(CHUNKS_DEFAULT);
  if (!/^[1-9]\d{0,8}$/.test(count)) return "--chunks is a whole number from 1.";
  const url = values.coordinator;
  const fault = siteAddressFault("--coordinator", URL.parse(url));
  if (fault !== null) return fault;
  const { issuer, config } = values;
  for (const [flag, hex] of Object.entries({ issuer, config })) {
    if (hex !== undefined && !/^[0-9a-f]{64}$/.test(hex)) return `--${flag} is 64 hex digits.`;
  }
  const token = values.token ?? environment("CHORUS_TOKEN");
  if (token !== undefined && !tokenPattern("api").test(token))
    return "--token is an API token, which begins with cht_. Your account's page (/account) makes one.";
  const pins = { issuerKey: issuer, configHash: config };
  return { roundId, keyPath, chunks: values.all === true ? "all" : Number(count), pins, url, token };
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      "auditor-key": { type: "string" },
      chunks: { type: "string" },
      all: { type: "boolean" },
      issuer: { type: "string" },
      config: { type: "string" },
      token: { type: "string" },
      coordinator: { type: "string", default: "http://localhost:3000" },
      help: { type: "boolean", short: "h" },
    },
  });
}
