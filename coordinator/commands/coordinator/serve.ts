import { parseArgs } from "node:util";
import { present } from "#shared/kernel/assert.ts";
import { AUDITOR_KEY_PATTERN } from "../../adapters/auditor-key.ts";
import { addressFault } from "../../adapters/http/origins.ts";
import { readTrustedProxies } from "../../adapters/http/trusted-proxies.ts";
import { openLog } from "../../adapters/log.ts";
import { ensureWebBuild } from "../../adapters/web-build.ts";
import { BUNDLED_TASKS, type BundledTask } from "../../data/tasks.ts";
import { endOnFault, type RunningCoordinator, type Settings, startCoordinator } from "../../main.ts";
import { logOriginFault } from "../../open-public-log.ts";
import { environment, namedOrigins, stateOptions } from "../command.ts";
import { offerTask } from "../demo/task-version.ts";
import { doorOptions } from "../door-options.ts";
import { GOVERNANCE_HELP, governanceOptions } from "../governance-options.ts";
import { openIdOptions } from "../openid-options.ts";
import { TLS_HELP, trustWords } from "../tls-options.ts";
import { WITNESS_OPTIONS_HELP, witnessOptions } from "../witness-options.ts";

const HELP = `npm run coordinator [-- options]

Starts the coordinator with its pages. It resumes the runs in its state.

  --port P          default 3000, or CHORUS_PORT
  --host ADDRESS    listen there only; default every address, or CHORUS_HOST
  --data DIR        state; default .chorus, or CHORUS_DATA
${TLS_HELP}; or CHORUS_TLS_CERT, CHORUS_TLS_KEY
  --task NAME       also offer this bundled task, for about 8 devices; may be repeated
                    (${BUNDLED_TASKS.join(", ")})
  --public-url URL  address under which others reach it, e.g. behind a proxy; or CHORUS_PUBLIC_URL
  --trusted-proxy CIDR[,CIDR]
                    proxies whose X-Forwarded-For, -Proto and -Host are believed, such as 127.0.0.1 or 10.1.0.0/16;
                    or CHORUS_TRUSTED_PROXIES
  --keep-transcripts N
                    keep the masked inputs, the opening shares (sealed to the auditor) and the transcript of the newest
                    N committed rounds of each task, for npm run verify; default 0, or CHORUS_KEEP_TRANSCRIPTS
  --auditor-public-key HEX
                    the auditor's X25519 key, 64 hex digits; needed with the above; or CHORUS_AUDITOR_PUBLIC_KEY
  --quota-gb N      bytes of models, uploads and held-out rows, in GB, above which no round opens and no upload begins;
                    default 10, 0 for none, or CHORUS_QUOTA_GB
  --openid-issuer URL, --openid-client-id ID
                    people may also sign in with an account at this OpenID provider, once an invitation or a session
                    has made it theirs; or CHORUS_OPENID_ISSUER, CHORUS_OPENID_CLIENT_ID. The client's secret is in
                    CHORUS_OPENID_CLIENT_SECRET, or in the file that CHORUS_OPENID_CLIENT_SECRET_FILE names. Redirect
                    address: /api/v1/session/openid/callback
  --log-origin NAME what the public log is called for its whole life, such as learn.example.org/log; only before the first
                    start has begun it; default a name that the installation makes, or CHORUS_LOG_ORIGIN
${WITNESS_OPTIONS_HELP}
${GOVERNANCE_HELP}
  --api-only        no pages
  --dev             pages from Next's development server
  --help

DATABASE_URL         PostgreSQL 15 or later instead of SQLite; needed if the data folder is on a network
CHORUS_ORIGINS       other sites whose pages may use it, separated by commas

SIGTERM and Ctrl-C let requests under way finish, within 30 s.`;

/**
 * Reads the options, starts the coordinator and offers the named tasks. Otherwise ends the process: 0 after
 * --help, 1 with a sentence if it cannot start, 2 for bad options.
 *
 * @param onStarted  Called before tasks are offered, when there is something to stop.
 */
export async function serve(onStarted: (running: RunningCoordinator) => void): Promise<void> {
  const options = readOptions();
  if (options === "help") {
    console.log(HELP);
    process.exit(0);
  }
  if (typeof options === "string") {
    console.error(options);
    process.exit(2);
  }
  // Standard output is the log's, JSON alone. Next tells people of its start there.
  console.log = console.error;
  const log = openLog();
  endOnFault(log);
  const end = (sentence: string): never => {
    console.error(sentence);
    process.exit(1);
  };
  try {
    if (options.web === "built")
      await ensureWebBuild(
        () => console.error("Building the pages ..."),
        (text) => process.stderr.write(text),
      );
    const running = await startCoordinator({ ...options, log, onReplaced: end });
    onStarted(running);
    for (const name of options.tasks) await offerTask(running, name);
    const words = trustWords(running);
    if (words !== null) console.error(words);
    console.error(`Chorus on ${running.url}. Ctrl-C stops it.`);
    const setUp = setUpWords(running, options);
    if (setUp !== null) console.error(setUp);
  } catch (error) {
    end(error instanceof Error ? error.message : String(error));
  }
}

/** The link that makes the first admin; null if there is one. */
function setUpWords(
  { doors, status, url }: RunningCoordinator,
  { web }: Pick<Settings, "web">,
): string | null {
  const token = doors.openSetUp();
  if (token === null) return null;
  // Nobody signs in over plain HTTP from another machine (X11).
  const base = status.joinBaseUrl.startsWith("https:") ? status.joinBaseUrl : url;
  const until = new Date(present(doors.setUp().endsAt, "the end of the link")).toISOString().slice(11, 16);
  // In the fragment, which browsers do not send.
  const link = `${base}/setup#token=${token}`;
  const how =
    web === false ? " (a page that --api-only does not serve: POST the token to /api/v1/setup)" : "";
  return `It has no admin yet. Whoever uses this link first, until ${until} UTC, becomes one: ${link}${how}`;
}

type Options = Omit<Settings, "log"> & { readonly tasks: readonly BundledTask[] };

/** Returns a sentence if an option is wrong, "help" if help was asked for. */
function readOptions(): Options | string {
  let values: ReturnType<typeof parse>["values"];
  try {
    ({ values } = parse());
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\nSee --help.`;
  }
  if (values.help === true) return "help";
  const tasks = BUNDLED_TASKS.filter((name) => values.task?.includes(name));
  if (tasks.length !== new Set(values.task).size) return `--task takes ${BUNDLED_TASKS.join(", ")}.`;
  const doors = doorOptions(values);
  if (!doors.ok) return doors.error;
  const { publicUrl } = doors.value;
  const allowedOrigins = namedOrigins();
  const fault = addressFault({ publicUrl, allowedOrigins });
  if (fault !== null) return fault;
  const trustedProxies = readTrustedProxies(
    values["trusted-proxy"] ?? environment("CHORUS_TRUSTED_PROXIES") ?? "",
  );
  if (!trustedProxies.ok) return trustedProxies.error;
  const rounds = values["keep-transcripts"] ?? environment("CHORUS_KEEP_TRANSCRIPTS") ?? "0";
  const auditorKey = values["auditor-public-key"] ?? environment("CHORUS_AUDITOR_PUBLIC_KEY");
  const quotaGb = values["quota-gb"] ?? environment("CHORUS_QUOTA_GB") ?? "10";
  if (!/^\d{1,6}$/.test(quotaGb)) return "--quota-gb is a whole number of GB, 0 for no quota.";
  if (!/^\d{1,4}$/.test(rounds)) return "--keep-transcripts is a whole number from 0 to 9999.";
  if (auditorKey !== undefined && !AUDITOR_KEY_PATTERN.test(auditorKey))
    return "--auditor-public-key is an X25519 key in 64 lower-case hex digits.";
  if (Number(rounds) > 0 && auditorKey === undefined)
    return "--keep-transcripts needs --auditor-public-key: opening shares are kept only for that key.";
  const openId = openIdOptions(values["openid-issuer"], values["openid-client-id"]);
  if (!openId.ok) return openId.error;
  const logOrigin = values["log-origin"] || environment("CHORUS_LOG_ORIGIN");
  const originFault = logOriginFault(logOrigin);
  if (originFault !== null) return originFault;
  const witnesses = witnessOptions(values);
  if (!witnesses.ok) return witnesses.error;
  const governance = governanceOptions(values);
  if (!governance.ok) return governance.error;
  return {
    ...governance.value,
    openId: openId.value,
    witnesses: witnesses.value,
    logOrigin,
    keeping: auditorKey === undefined ? undefined : { rounds: Number(rounds), auditorKey },
    ...doors.value,
    ...stateOptions(values),
    allowedOrigins,
    trustedProxies: trustedProxies.value,
    tasks,
    quotaByteCount: quotaGb === "0" ? null : Number(quotaGb) * 1e9,
    commit: environment("CHORUS_COMMIT"),
    web: values["api-only"] === true ? false : values.dev === true ? "dev" : "built",
  };
}

function parse() {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  return parseArgs({
    options: {
      port: text,
      host: text,
      data: text,
      tls: flag,
      "tls-cert": text,
      "tls-key": text,
      "public-url": text,
      "trusted-proxy": text,
      "openid-issuer": text,
      "openid-client-id": text,
      "keep-transcripts": text,
      "quota-gb": text,
      "auditor-public-key": text,
      "keep-ended-days": text,
      operator: text,
      "operator-contact": text,
      "protection-contact": text,
      "legal-ground": text,
      "log-origin": text,
      witness: { ...text, multiple: true },
      task: { ...text, multiple: true },
      "api-only": flag,
      dev: flag,
      help: { ...flag, short: "h" },
    },
  });
}
