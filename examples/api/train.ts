// Makes a task, launches a run of it, watches the run and fetches its model.
//
//   CHORUS_URL=https://chorus.example CHORUS_TOKEN=cht_... node train.ts task.json
//
// Needs Node 24 or newer and no packages. The token is an API token with the scopes that make tasks and launch runs.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const base = `${process.env["CHORUS_URL"] ?? "http://localhost:3000"}/api/v1`;
const headers = {
  authorization: `Bearer ${process.env["CHORUS_TOKEN"] ?? ""}`,
  "content-type": "application/json",
};

interface Run {
  readonly runId: string;
  readonly number: number;
  readonly state:
    | "queued"
    | "waiting"
    | "running"
    | "paused"
    | "stopping"
    | "evaluating"
    | "completed"
    | "failed";
  readonly roundsCommitted: number;
  readonly roundsPlanned: number;
  readonly modelHash: string | null;
}

/** Throws what the coordinator says is wrong, which names what to do next. */
async function ask(method: "GET" | "POST", path: string, body?: unknown): Promise<Response> {
  const response = await fetch(base + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (response.ok) return response;
  const { error } = (await response.json()) as { error: { code: string; message: string; retry: string } };
  throw new Error(`${error.code}: ${error.message}`, { cause: error });
}

// 1. The task. A version never changes; the same one again is a CONFLICT.
const task = JSON.parse(await readFile(process.argv[2] ?? "task.json", "utf8")) as { slug: string };
await ask("POST", "/tasks", task);
const { items } = (await (await ask("GET", `/tasks/${task.slug}/versions`)).json()) as {
  items: { task: { version: number } }[];
};
console.log(`Made ${task.slug}. Its versions: ${items.map((one) => one.task.version).join(", ")}.`);

// 2. The run. It waits until enough devices have joined.
let run = (await (await ask("POST", "/runs", { task: task.slug, rounds: 1 })).json()) as Run;
console.log(`Launched run ${run.number}.`);

// 3. Its rounds, until it has ended.
let shown = "";
while (!["completed", "failed"].includes(run.state)) {
  await sleep(1_000);
  run = (await (await ask("GET", `/runs/${run.runId}`)).json()) as Run;
  const line = `${run.state}, ${run.roundsCommitted} of ${run.roundsPlanned} rounds`;
  if (line !== shown) console.log(line);
  shown = line;
}
if (run.modelHash === null) throw new Error(`The run ended as ${run.state}, without a model.`);

// 4. The model, named by its own hash.
const model = Buffer.from(await (await ask("GET", `/models/${run.modelHash}`)).arrayBuffer());
if (createHash("sha256").update(model).digest("hex") !== run.modelHash)
  throw new Error("The model is damaged.");
await writeFile(`${task.slug}.safetensors`, model);
console.log(`Wrote ${task.slug}.safetensors, ${model.length} bytes.`);
