import { parseArgs } from "node:util";
import { AUDITOR_KEY_PATTERN } from "../../adapters/auditor-key.ts";
import { openLog } from "../../adapters/log.ts";
import { ensureWebBuild } from "../../adapters/web-build.ts";
import { BUNDLED_TASKS, type BundledTask } from "../../data/tasks.ts";
import { endOnFault, type RunningCoordinator, type Settings, startCoordinator } from "../../main.ts";
import { offerTask } from "../demo/task-version.ts";

const HELP = `npm run coordinator [-- options]

The coordinator with its pages. It goes on with the runs that it finds in its state.

  --port P          default 3000, or CHORUS_PORT
  --host ADDRESS    listen there only; default every address, or CHORUS_HOST
  --data DIR        state; default .chorus, or CHORUS_DATA
  --tls-cert FILE, --tls-key FILE
                    HTTPS, so that phones and other machines can take part; or CHORUS_TLS_CERT, CHORUS_TLS_KEY
  --task NAME       also offer this bundled task (digits, hmda, fashion-mnist), for about 8 devices; may be repeated
  --public-url URL  as others reach it, e.g. behind a proxy; or CHORUS_PUBLIC_URL
  --keep-transcripts N
                    keep the masked inputs, the opening shares (sealed to the auditor) and the transcript of the newest
                    N committed rounds of each task, for npm run verify; default 0, or CHORUS_KEEP_TRANSCRIPTS
  --auditor-public-key HEX
                    the auditor's X25519 key, 64 hex digits; needed with the above; or CHORUS_AUDITOR_PUBLIC_KEY
  --api-only        no pages
  --dev             pages from Next's development server
  --help

DATABASE_URL         PostgreSQL 15 or later, instead of SQLite in the data folder; a folder on a network needs it
CHORUS_ORIGINS       other pages that may use it, separated by commas

SIGTERM and Ctrl-C let what is under way end, within 30 s.`;

/**
 * Reads the options, starts the coordinator and offers the tasks that were named. Ends the process where that is not to be:
 * 0 after --help, 1 with a sentence where it cannot start, 2 for bad options.
 *
 * @param onStarted  Before the tasks are offered: from here on a stop has something to stop.
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
    for (const name of options.tasks) await offerTask(running.coordinator, options.dataDir, name);
    console.log(`Chorus on ${running.url}. Ctrl-C stops it.`);
  } catch (error) {
    end(error instanceof Error ? error.message : String(error));
  }
}

type Options = Omit<Settings, "log"> & { readonly tasks: readonly BundledTask[] };

/** A sentence where something is wrong, "help" where that was asked for. */
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
  const environment = (name: string) => process.env[name] || undefined;
  const portText = values.port ?? environment("CHORUS_PORT") ?? "3000";
  if (!/^\d{1,5}$/.test(portText) || Number(portText) > 65_535)
    return "--port is a whole number from 0 to 65535.";
  const certPath = values["tls-cert"] ?? environment("CHORUS_TLS_CERT");
  const keyPath = values["tls-key"] ?? environment("CHORUS_TLS_KEY");
  if ((certPath === undefined) !== (keyPath === undefined)) return "--tls-cert and --tls-key go together.";
  const publicUrl = values["public-url"] ?? environment("CHORUS_PUBLIC_URL");
  const allowedOrigins = (environment("CHORUS_ORIGINS") ?? "")
    .split(",")
    .map((origin) => origin.trim())
    .filter(Boolean);
  for (const url of [...allowedOrigins, ...(publicUrl === undefined ? [] : [publicUrl])]) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      return `${url} is not an http or https address.`;
  }
  const rounds = values["keep-transcripts"] ?? environment("CHORUS_KEEP_TRANSCRIPTS") ?? "0";
  const auditorKey = values["auditor-public-key"] ?? environment("CHORUS_AUDITOR_PUBLIC_KEY");
  if (!/^\d{1,4}$/.test(rounds)) return "--keep-transcripts is a whole number from 0 to 9999.";
  if (auditorKey !== undefined && !AUDITOR_KEY_PATTERN.test(auditorKey))
    return "--auditor-public-key is an X25519 key in 64 lower-case hex digits.";
  if (Number(rounds) > 0 && auditorKey === undefined)
    return "--keep-transcripts needs --auditor-public-key: opening shares are kept for that key alone.";
  return {
    keeping: auditorKey === undefined ? undefined : { rounds: Number(rounds), auditorKey },
    port: Number(portText),
    host: values.host ?? environment("CHORUS_HOST"),
    dataDir: values.data ?? environment("CHORUS_DATA") ?? ".chorus",
    databaseUrl: environment("DATABASE_URL"),
    tls: certPath === undefined || keyPath === undefined ? null : { certPath, keyPath },
    publicUrl,
    allowedOrigins,
    tasks,
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
      "tls-cert": text,
      "tls-key": text,
      "public-url": text,
      "keep-transcripts": text,
      "auditor-public-key": text,
      task: { ...text, multiple: true },
      "api-only": flag,
      dev: flag,
      help: { ...flag, short: "h" },
    },
  });
}
