import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { BackendName } from "#shared/task/engine.ts";
import { LOSS_WORDS } from "../../core/engine/loss-words.ts";
import { type EdgeError, type EdgeOptions, openEdge, type SessionView } from "../../node.ts";

const HELP = `Takes part in a task with data on this machine. The data stay here; what leaves is one masked list a round.

  npm run edge -- --coordinator URL --task ID --data PATH [options]

  --coordinator URL   where the coordinator runs, e.g. http://localhost:3000
  --task ID           the task's slug, e.g. digits
  --data PATH         a CSV file with a line of column names; a folder with IDX files (train-images-idx3-ubyte and
                      train-labels-idx1-ubyte, gzip too); or a folder with one folder of PNG files a class
  --backend NAME      auto (default: the fastest here), webgpu, wasm or cpu; one that stops is replaced by the next
  --join-token TOKEN  what the coordinator's operator handed out
  --state DIR         identity key and what this device remembers; one folder a process
                      (default: ~/.chorus/edge/<host>/<task>)
  --record DIR        keeps this device's own updates there, in clear
  --rounds-max N      this device's own limit of rounds in this task (default 1000)
  --help              this text

Starting it is the consent to the task's newest version. Ctrl-C leaves.
Exit codes: 0 left, or the own limit is reached; 2 bad options or data; 3 no coordinator or task; 4 no engine;
5 the state folder is in use, of another coordinator, read-only or damaged; 6 the device or the coordinator refused to go on.
`;

const EXIT: Readonly<Record<EdgeError["type"], number>> = { data: 2, coordinator: 3, backend: 4, state: 5 };
/** By what ended the session; others are 6. */
const END_CODES: ReadonlyMap<ErrorCode, number> = new Map([
  ["BUDGET", 0],
  ["NO_ENGINE", EXIT.backend],
]);
/** Over in a moment, or told better by what follows. */
const UNTOLD_STEPS = new Set(["masking", "uploading", "ended"]);
const BACKENDS = ["auto", "webgpu", "wasm", "cpu"];

const said = { line: "", connection: "offline" };
function say(line: string): void {
  if (line === said.line) return;
  said.line = line;
  console.log(line);
}

/**
 * Takes part until it is stopped or cannot go on; then the process ends with the code that the help names.
 *
 * @param onStarted  Is given what to do when the process is told to end.
 */
export async function takePart(onStarted: (stop: () => Promise<void>) => void): Promise<void> {
  const options = readOptions();
  if (typeof options === "string") {
    console.error(`${options}\nSee --help.`);
    process.exit(2);
  }
  const opened = await openEdge(options);
  if (!opened.ok) {
    console.error(opened.error.sentence);
    process.exit(EXIT[opened.error.type]);
  }
  const edge = opened.value;
  const { rowsRead, rowsLeftOut, problems } = edge.report;
  say(`${rowsRead} rows read, ${rowsLeftOut} left out. Training on ${edge.engines.get().backend}.`);
  for (const { sentence } of problems.slice(0, 10)) say(sentence);

  let ending: Promise<void> | null = null;
  const close = async (code: number) => {
    // A coordinator that is gone must not hold the process.
    setTimeout(() => process.exit(code), 5_000).unref();
    await edge.close();
    process.exit(code);
  };
  const end = (code: number) => {
    ending ??= close(code);
    return ending;
  };
  onStarted(() => end(0));
  edge.session.view.subscribe((patch) => {
    report(patch);
    const { activity, refusal } = edge.view();
    if (patch.activity === "idle" && activity === "idle" && refusal !== null)
      void end(END_CODES.get(refusal.code) ?? 6);
  });
  edge.engines.subscribe(({ losses, backend }) => {
    const loss = losses?.at(-1);
    if (loss !== undefined)
      say(`The engine ${loss.backend} stopped: ${LOSS_WORDS[loss.cause]}. Trying the others.`);
    if (backend != null && edge.engines.get().losses.length > 0) say(`Training on ${backend} from now on.`);
  });
  edge.session.start();
}

function readOptions(): EdgeOptions | string {
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
  const { coordinator, task, data, backend = "auto", state, record } = values;
  if (coordinator === undefined || task === undefined || data === undefined)
    return "--coordinator, --task and --data are needed.";
  if (!URL.canParse(coordinator) || !/^https?:$/.test(new URL(coordinator).protocol))
    return `--coordinator takes an http or https address, not ${coordinator}.`;
  if (!BACKENDS.includes(backend)) return `--backend takes one of ${BACKENDS.join(", ")}, not ${backend}.`;
  const roundsMax = Number(values["rounds-max"] ?? "1000");
  if (!Number.isInteger(roundsMax) || roundsMax < 1) return "--rounds-max takes a whole number of 1 or more.";
  const host = new URL(coordinator).host.replace(/[^a-z0-9.-]/gi, "-");
  const joinToken = values["join-token"];
  return {
    coordinatorUrl: coordinator,
    task,
    roundsMax,
    dataPath: data,
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
      backend: text,
      "join-token": text,
      state: text,
      record: text,
      "rounds-max": text,
      help: { type: "boolean" },
    },
  });
}

/** One line for each change that its owner would ask about. */
function report({ connection, round, refusal, activity }: Partial<SessionView>): void {
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
