import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BackendName } from "../core/ports.ts";
import { openEdge, type EdgeError, type EdgeOptions, type SessionView } from "../node.ts";

const HELP = `Takes part in a task with data on this machine. The data stay here; what leaves is one masked list a round.

  npm run edge -- --coordinator URL --task ID --data PATH [options]

  --coordinator URL   where the coordinator runs, e.g. http://localhost:3000
  --task ID           the task's slug, e.g. digits
  --data PATH         a CSV file with a line of column names; a folder with IDX files (train-images-idx3-ubyte and
                      train-labels-idx1-ubyte, gzip too); or a folder with one folder of PNG files a class
  --backend NAME      auto (default: the fastest here), webgpu, wasm or cpu
  --join-token TOKEN  what the coordinator's operator handed out
  --state DIR         identity key and what this device remembers; one folder a process
                      (default: ~/.chorus/edge/<host>/<task>)
  --record DIR        keeps this device's own updates there, in clear
  --rounds-max N      this device's own limit of rounds in this task (default 1000)
  --help              this text

Starting it is the consent to the task's newest version. Ctrl-C leaves.
Exit codes: 0 left, or the own limit is reached; 2 bad options or data; 3 no coordinator or task; 4 no engine;
5 the state folder is in use; 6 the device or the coordinator refused to go on.
`;

const EXIT: Readonly<Record<EdgeError["type"], number>> = { data: 2, coordinator: 3, backend: 4, state: 5 };
/** Over in a moment, or told better by what follows. */
const UNTOLD_STEPS = new Set(["masking", "uploading", "ended"]);
const BACKENDS = ["auto", "webgpu", "wasm", "cpu"];

const said = { line: "", connection: "offline" };
function say(line: string): void {
  if (line === said.line) return;
  said.line = line;
  console.log(line);
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
    say(`${name}: in the sum, one of ${outcome.survivorCount}. Next model ${outcome.modelHash.slice(0, 12)}.`);
  } else {
    say(`${name}: ${outcome.kind}. ${outcome.sentence} (${outcome.code})`);
  }
}

await main();
