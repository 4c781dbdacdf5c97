import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { tokenPattern } from "#shared/access/tokens.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { siteAddressFault } from "#shared/protocol/site-address.ts";
import { consentReceiptJson } from "#shared/task/consent-ledger.ts";
import type { BackendName } from "#shared/task/engine.ts";
import { keepWithdrawal, readConsents } from "../../adapters/consent-file.ts";
import { useProxy } from "../../adapters/edge-way.ts";
import { describeFileFault } from "../../adapters/state-folder.ts";
import { LOSS_WORDS } from "../../core/engine/loss-words.ts";
import { reportLines } from "../../core/report-lines.ts";
import {
  type Edge,
  type EdgeError,
  type EdgeOptions,
  type EnrolmentView,
  openEdge,
  proposeEdgeMapping,
} from "../../node.ts";

const HELP = `Takes part in a task with data on this machine. The data stay here; one masked list leaves in each round.

  npm run edge -- --coordinator URL --task ID --data PATH [options]

  --coordinator URL   where the coordinator runs, e.g. http://localhost:3000
  --task ID           the task's slug, e.g. digits
  --data PATH         a CSV file with a line of column names, in gzip or a zip archive too; or a folder or a zip
                      archive with IDX files (train-images-idx3-ubyte and train-labels-idx1-ubyte, gzip too), or with
                      one folder of PNG, JPEG or WebP files for each class. A folder is called like its class, in any
                      letter case, with _ for what no folder can have: T-shirt_top for T-shirt/top
  --mapping FILE      says which columns and words of the CSV file are the task's, if they have other names (JSON)
  --map               prints such a mapping for --data, to check and change, and ends
  --set NAME          which of several sets or tables in --data is meant
  --backend NAME      auto (default: the fastest here), webgpu, wasm or cpu; if it stops, the next one takes over
  --token TOKEN       the join token of a task by invitation; better in CHORUS_TOKEN, because other users of this
                      machine can read arguments
  --state DIR         identity key and what this device remembers; one folder for each process
                      (default: ~/.chorus/edge/<host>/<task>)
  --record DIR        keeps this device's own updates there, in the clear
  --consents          prints what this device has agreed to, as JSON, and ends; needs no data
  --withdraw          records in the state folder that the agreement has ended, and ends; needs no data. A later start
                      agrees anew
  --trust-log         goes on with a coordinator whose public log contradicted itself, once you have looked at
                      log-evidence.json in the state folder: the log counts as it is shown next
  --rounds-max N      this device's own limit on rounds in this task (default 1000)
  --help              this text

By starting it you agree to the task's current version; the state folder keeps what that said, in consents.jsonl.
Ctrl-C leaves.

CHORUS_TOKEN             the join token, at each start; it counts once for each state folder
HTTPS_PROXY, HTTP_PROXY  proxy for coordinators with https and http, like http://name:password@proxy.example:3128
NO_PROXY                 hosts to reach without it, separated by commas
NODE_EXTRA_CA_CERTS      file with further certificate authorities to trust (PEM), such as ca.crt of a coordinator
                         with --tls, or that of a proxy that inspects traffic

Exit codes
  0  left, or reached --rounds-max
  2  bad options, settings or data
  3  the coordinator cannot be reached, does not have the task, or has a certificate that is not trusted
  4  no engine works here
  5  the state folder is in use, read-only, damaged, or set up with another coordinator
  6  the device or the coordinator refused to continue
  7  the task is by invitation and there is no token, the token has ended, or the site was revoked
`;

const EXIT: Readonly<Record<EdgeError["type"], number>> = {
  data: 2,
  coordinator: 3,
  backend: 4,
  state: 5,
  access: 7,
};
/** Exit code by the error that ended the enrolment; 6 if not listed. */
const END_CODES: ReadonlyMap<ErrorCode, number> = new Map([
  ["BUDGET", 0],
  ["NO_ENGINE", EXIT.backend],
  ["BY_INVITATION", EXIT.access],
  ["TOKEN_ENDED", EXIT.access],
  ["REVOKED", EXIT.access],
]);
/** Steps that are not printed. They are brief, or a later line says more. */
const UNTOLD_STEPS = new Set(["masking", "uploading", "ended"]);
const BACKENDS = ["auto", "webgpu", "wasm", "cpu"];

const said = { line: "", connection: "offline" };
function say(line: string): void {
  if (line === said.line) return;
  said.line = line;
  console.log(line);
}

/**
 * Takes part until something stops it. Then the process ends with an exit code from the help.
 *
 * @param onStarted  Called with a function that leaves and ends the process.
 */
export async function takePart(onStarted: (stop: () => Promise<void>) => void): Promise<void> {
  const options = readOptions();
  if (typeof options === "string") {
    console.error(`${options}\nSee --help.`);
    process.exit(2);
  }
  const proxy = useProxy(new URL(options.coordinatorUrl).protocol, process.env);
  if (!proxy.ok) {
    console.error(proxy.error);
    process.exit(2);
  }
  if (options.onlyConsents !== null) return await showConsents(options, options.onlyConsents);
  if (options.onlyMaps) return await printMapping({ ...options, proxy: proxy.value });
  const opened = await openEdge({ ...options, proxy: proxy.value, onReceiptProblem: say });
  if (!opened.ok) {
    console.error(opened.error.sentence);
    process.exit(EXIT[opened.error.type]);
  }
  const edge = opened.value;
  if (edge.agreed !== null) say(edge.agreed);
  if (edge.notice !== null) say(edge.notice);
  for (const line of reportLines(edge.report)) say(line);
  say(`Training on ${edge.engines.get().backend}.`);

  let ending: Promise<void> | null = null;
  const close = async (code: number) => {
    // An unreachable coordinator must not block the exit.
    setTimeout(() => process.exit(code), 5_000).unref();
    await edge.close();
    process.exit(code);
  };
  const end = (code: number) => {
    ending ??= close(code);
    return ending;
  };
  onStarted(() => end(0));
  const explain = explainSilence(edge);
  edge.enrolment.view.subscribe((patch) => {
    report(patch);
    explain(patch);
    const { activity, refusal } = edge.view();
    if (patch.contradiction != null) keepEvidence(options.stateFolder, patch.contradiction);
    if (patch.activity === "idle" && activity === "idle" && refusal !== null)
      void end(END_CODES.get(refusal.code) ?? 6);
  });
  edge.engines.subscribe(({ losses, backend }) => {
    const loss = losses?.at(-1);
    if (loss !== undefined)
      say(`The engine ${loss.backend} stopped: ${LOSS_WORDS[loss.cause]}. Trying the others.`);
    if (backend != null && edge.engines.get().losses.length > 0) say(`Training on ${backend} from now on.`);
  });
  if (options.trustsLog) await edge.enrolment.trustAnew();
  edge.enrolment.start();
}

/** Puts the evidence beside the memory, for the edge's owner and for `npm run log -- verify`. Rule A43. */
function keepEvidence(stateFolder: string, file: string): void {
  const path = join(stateFolder, "log-evidence.json");
  try {
    writeFileSync(path, file, { mode: 0o600 });
    say(`The evidence is in ${path}. Ask whoever runs the coordinator; to go on all the same: --trust-log.`);
  } catch (fault) {
    say(describeFileFault(stateFolder, fault));
  }
}

/** Prints the ledger of the state folder, after a withdrawal if one is wanted. */
async function showConsents({ stateFolder }: EdgeOptions, act: "show" | "withdraw"): Promise<void> {
  try {
    if (act === "withdraw") {
      const ended = await keepWithdrawal(stateFolder, new Date().toISOString());
      console.error(ended ? "Withdrawn. Nothing is sent until the edge is started again." : NOTHING_AGREED);
    }
    process.stdout.write(consentReceiptJson(await readConsents(stateFolder)));
    process.exitCode = 0;
  } catch (fault) {
    console.error(describeFileFault(stateFolder, fault));
    process.exitCode = EXIT.state;
  }
}

const NOTHING_AGREED = "No agreement is in force in this state folder, so nothing was changed.";

async function printMapping(options: EdgeOptions): Promise<void> {
  const proposed = await proposeEdgeMapping(options);
  if (proposed.ok) {
    console.log(JSON.stringify(proposed.value, null, 2));
    process.exit(0);
  }
  console.error(proposed.error.sentence);
  process.exit(EXIT[proposed.error.type]);
}

/** What a call does instead of taking part, and before. */
interface Instead {
  readonly trustsLog: boolean;
  readonly onlyMaps: boolean;
  readonly onlyConsents: "show" | "withdraw" | null;
}

function readOptions(): (EdgeOptions & Instead) | string {
  let values: ReturnType<typeof parse>["values"];
  try {
    ({ values } = parse());
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
  if (values.help === true) {
    console.log(HELP);
    process.exit(0);
  }
  const { coordinator, task, mapping, set, backend = "auto", state, record } = values;
  const onlyConsents = values.withdraw === true ? "withdraw" : values.consents === true ? "show" : null;
  const data = values.data ?? (onlyConsents === null ? undefined : "");
  if (coordinator === undefined || task === undefined || data === undefined)
    return "--coordinator, --task and --data are required.";
  const fault = siteAddressFault("--coordinator", URL.parse(coordinator));
  if (fault !== null) return fault;
  if (!BACKENDS.includes(backend)) return `--backend takes one of ${BACKENDS.join(", ")}, not ${backend}.`;
  const roundsMax = Number(values["rounds-max"] ?? "1000");
  if (!Number.isInteger(roundsMax) || roundsMax < 1) return "--rounds-max takes a whole number of 1 or more.";
  const host = new URL(coordinator).host.replace(/[^a-z0-9.-]/gi, "-");
  const joinToken = process.env["CHORUS_TOKEN"] || values.token;
  if (joinToken !== undefined && !tokenPattern("join").test(joinToken))
    return "CHORUS_TOKEN and --token take a join token: chj_ and 43 letters. Copy it again from whoever made it.";
  return {
    coordinatorUrl: coordinator,
    task,
    roundsMax,
    dataPath: data,
    onlyMaps: values.map === true,
    onlyConsents,
    trustsLog: values["trust-log"] === true,
    ...(mapping === undefined ? {} : { mappingPath: mapping }),
    ...(set === undefined ? {} : { set }),
    stateFolder: state ?? join(homedir(), ".chorus", "edge", host, task.replace(/[^a-z0-9-]/gi, "-")),
    ...(backend === "auto" ? {} : { backend: backend as BackendName }),
    ...(joinToken === undefined ? {} : { joinToken }),
    ...(record === undefined ? {} : { recordFolder: record }),
  };
}

function parse() {
  const text = { type: "string" } as const;
  return parseArgs({
    options: {
      coordinator: text,
      task: text,
      data: text,
      mapping: text,
      map: { type: "boolean" },
      consents: { type: "boolean" },
      withdraw: { type: "boolean" },
      set: text,
      backend: text,
      token: text,
      state: text,
      record: text,
      "trust-log": { type: "boolean" },
      "rounds-max": text,
      help: { type: "boolean" },
    },
  });
}

/** How long a connection is lost before its owner reads why: longer than a coordinator's restart. */
const SILENCE_MS = 30_000;

/** Says once for each lost connection why the coordinator cannot be reached. */
function explainSilence(edge: Pick<Edge, "whyOffline">): (patch: Partial<EnrolmentView>) => void {
  let timer: NodeJS.Timeout | null = null;
  return ({ connection }) => {
    if (connection === undefined) return;
    if (connection.state === "online" && timer !== null) {
      clearTimeout(timer);
      timer = null;
    } else if (connection.state !== "online") {
      timer ??= setTimeout(() => void edge.whyOffline().then((why) => why === null || say(why)), SILENCE_MS);
      timer.unref();
    }
  };
}

/** Prints one line for each change that the owner would ask about. */
function report({ connection, round, refusal, activity }: Partial<EnrolmentView>): void {
  if (connection !== undefined && connection.state !== said.connection) {
    said.connection = connection.state;
    say(connection.state === "online" ? "Connected." : "No connection.");
  }
  if (activity === "waiting") say("Waiting for a round.");
  if (refusal != null) say(`${refusal.sentence} (${refusal.code})`);
  if (round == null) return;
  const name = `Round ${round.round}`;
  if (round.outcome === null) {
    if (!UNTOLD_STEPS.has(round.step)) say(`${name}: ${round.step}.`);
    return;
  }
  const { outcome } = round;
  if (outcome.kind === "committed") {
    say(
      `${name}: in the sum, one of ${outcome.survivorCount}. Next model ${outcome.modelHash.slice(0, 12)}.`,
    );
  } else {
    say(`${name}: ${outcome.kind}. ${outcome.sentence} (${outcome.code})`);
  }
}
