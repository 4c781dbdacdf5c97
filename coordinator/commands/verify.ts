import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import type { Pins } from "#shared/transcript/check-task.ts";
import { verifyRound } from "#shared/transcript/verify-round.ts";
import { openAuditSource } from "../adapters/audit-source.ts";
import { readAuditorKey } from "../adapters/auditor-key.ts";
import { primitives, randomBytes } from "../adapters/system.ts";

const CHUNKS_DEFAULT = 16;

const HELP = `npm run verify -- round ID --auditor-key FILE [options]

Checks a committed round from outside, as far as the coordinator still keeps it: that every device signed what is said
to be its own, that the shares make the secrets which the devices had announced, that the published sum is the sum of
the devices' masked inputs, that the evidence is what the round committed to, and that the next model follows from the
published sum to the last bit.

  ID                the round, 32 hex digits; the last part of its page's address
  --auditor-key FILE
                    the auditor's secret key, 64 hex digits; the demo's is auditor.key in its data folder
  --chunks N        make N chunks of 64 KiB of the sum anew, drawn at random; default ${CHUNKS_DEFAULT}
  --all             make all of them anew
  --issuer HEX      the key that certifies devices must be this one, 64 hex digits
  --config HEX      the config that devices agreed to must have this hash, 64 hex digits
  --coordinator URL default http://localhost:3000
  --help

Exit code 0: everything that was looked at holds. 1: something does not; the last line names it. 2: it could not be
looked at. What is missing of a round whose transcript is there is a 1.`;

/** Who may refuse an answer and be asked again has a say in which draw counts. */
const ODDS_START_ANEW =
  "What was drawn counts for nothing: the odds start anew with the next try, and are void for whoever tries until it fits.";

process.exitCode = await main();

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
    const { claims, source, detail } = await openAuditSource(primitives, options.url, options.roundId);
    console.log(`Round ${detail.round} of run ${detail.runNumber} of ${detail.task}.`);
    const beganMs = performance.now();
    drawing = true;
    const verified = await verifyRound(primitives, claims, source, {
      auditorKey,
      chunks: options.chunks,
      pins: options.pins,
      random: randomBytes,
      digest: sha256,
      report: (line) => console.log(line),
    });
    const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
    if (verified.ok) {
      console.log(`Everything that was looked at holds (${seconds} s).`);
      return 0;
    }
    const { code, sentence } = verified.error;
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

function sha256() {
  const hash = createHash("sha256");
  return { update: (bytes: Uint8Array) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

interface VerifyOptions {
  readonly roundId: string;
  readonly keyPath: string;
  readonly chunks: number | "all";
  readonly pins: Pins;
  readonly url: string;
}

/** A sentence where something is wrong, "help" where that was asked for. */
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
    return "Say which round: npm run verify -- round ID, with the 32 hex digits of its page's address.";
  const keyPath = values["auditor-key"];
  if (keyPath === undefined)
    return "Give the file of the auditor's secret key with --auditor-key; the demo's is auditor.key in its data folder.";
  if (values.all === true && values.chunks !== undefined) return "--chunks and --all exclude one another.";
  const count = values.chunks ?? String(CHUNKS_DEFAULT);
  if (!/^[1-9]\d{0,8}$/.test(count)) return "--chunks is a whole number from 1.";
  const url = values.coordinator;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return `${url} is not an http or https address.`;
  const { issuer, config } = values;
  for (const [flag, hex] of Object.entries({ issuer, config })) {
    if (hex !== undefined && !/^[0-9a-f]{64}$/.test(hex)) return `--${flag} is 64 hex digits.`;
  }
  const pins = { issuerKey: issuer, configHash: config };
  return { roundId, keyPath, chunks: values.all === true ? "all" : Number(count), pins, url };
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
      coordinator: { type: "string", default: "http://localhost:3000" },
      help: { type: "boolean", short: "h" },
    },
  });
}
