import { Agent, get } from "node:http";
import { permissionRefusal } from "#coordinator/core/access/permissions.ts";
import { NO_OVERRIDES } from "#coordinator/core/access/promotions.ts";
import { openAccess } from "#coordinator/open-access.ts";
import { present } from "#shared/kernel/assert.ts";
import { err } from "#shared/kernel/result.ts";
import { after, monotonicClock, primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { memoryDatabase } from "../kit/fakes/memory-database.ts";
import { memoryStore } from "../kit/fakes/memory-store.ts";
import { adminCookie, adminToken } from "../kit/worlds/admin.ts";
import { until } from "../kit/worlds/coordinator-process.ts";
import { addCrowd } from "../kit/worlds/crowd.ts";
import {
  openProcessFederation,
  type ProcessFederation,
  pictureTask,
} from "../kit/worlds/process-federation.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";
import { cpuMs } from "./profile.ts";

/*
 * What access costs: the read of a public task by its reader's session or API token beside the same read by anyone, one
 * check of a session and of a token, and a round. All of it for a coordinator with one person and for one with a thousand
 * more, in turn. A person there has a role, an API token and a join token.
 *
 * The bar: signing in adds less than 1 ms (p50) to a request, and a crowd costs a round nothing.
 */

const SMALL = { crowdSize: 5, reads: 20, checks: 50, deviceCount: 3, hiddenUnits: 2, rounds: 1 };
/** An address may read 4,000 times at once. */
const FULL = { crowdSize: 1_000, reads: 1_000, checks: 2_000, deviceCount: 10, hiddenUnits: 126, rounds: 20 };
const WARM_UP_READS = 100;
const WARM_UP_ROUNDS = 2;
const BATCHES = 20;
const BAR_MS = 1;
const ROUND_WITHIN_MS = 120_000;

export const bench: Bench = { name: "access", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { crowdSize, reads, checks, deviceCount, hiddenUnits, rounds } = small ? SMALL : FULL;
  yield* checkLines(await Promise.all([openChecks(0), openChecks(crowdSize)]), checks, crowdSize);
  const task = pictureTask(deviceCount, hiddenUnits);
  const open: ProcessFederation[] = [];
  try {
    for (const size of [0, crowdSize])
      open.push(await openProcessFederation(task, [deviceCount], { crowdSize: size }));
    const [alone, crowded] = open as [ProcessFederation, ProcessFederation];
    const path = `/api/v1/tasks/${task.slug}`;
    yield* readLines(await readInTurn(alone, path, reads), "one person");
    yield* readLines(await readInTurn(crowded, path, reads), `${crowdSize} more`);
    for (const { devices } of open) for (const device of devices) device.send({ type: "start", held: false });
    yield* roundLines(await roundsInTurn(alone, crowded, task.slug, rounds), crowdSize);
  } finally {
    for (const federation of open) await federation.close();
  }
}

const READERS = ["anyone", "session", "API token"] as const;
type Reader = (typeof READERS)[number];
type Times = Readonly<Record<Reader, number[]>>;

/** Milliseconds of one read each, by one connection. */
async function readInTurn(
  { url, token, cookie }: ProcessFederation,
  path: string,
  count: number,
): Promise<Times> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = {
    anyone: {},
    session: { cookie },
    "API token": { authorization: `Bearer ${token}` },
  } satisfies Record<Reader, Record<string, string>>;
  const times: Times = { anyone: [], session: [], "API token": [] };
  for (const reader of ["session", "API token"] as const)
    await read(agent, `${url}/api/v1/session`, headers[reader]);
  for (let index = -WARM_UP_READS; index < count; index++) {
    for (const reader of READERS) {
      const ms = await read(agent, url + path, headers[reader]);
      if (index >= 0) times[reader].push(ms);
    }
  }
  agent.destroy();
  return times;
}

/** @throws Error unless the answer is 200, so that no refusal is timed. */
function read(agent: Agent, url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const beganMs = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - beganMs);
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
    }).on("error", reject);
  });
}

function* readLines(times: Times, who: string): Generator<BenchLine> {
  for (const [label, share] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    const anyone = quantile(times.anyone, share);
    for (const reader of ["session", "API token"] as const) {
      const value = quantile(times[reader], share);
      const name = `${who}: read of a task, ${reader}, ${label}`;
      yield { name, value, unit: "ms", ...compared("by anyone", anyone, value) };
      const more = value - anyone;
      const bar = label === "p50" ? compared("bar", BAR_MS, more) : {};
      yield { name: `${who}: more than by anyone, ${reader}, ${label}`, value: more, unit: "ms", ...bar };
    }
  }
}

type Checks = Readonly<Record<"session" | "API token", (index: number) => Promise<void>>>;

/** The judge of sessions and tokens over a store in memory. Each check is of the next person. */
async function openChecks(crowdSize: number): Promise<Checks> {
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const parts = await openAccess({
    ...{ primitives, random: randomBytes, clock: monotonicClock, wall: wallClock, after, log },
    store: memoryStore(memoryDatabase()),
    keeping: null,
    projects: { deleteData: async () => err(wireError("CONFLICT")) },
    registry: NO_OVERRIDES,
  });
  const { accessDesk, signIns } = parts;
  const principals = parts.principals({ deviceOf: async () => null });
  const cookie = await adminCookie({ doors: parts.doors, url: "http://localhost" });
  const tokens = [await adminToken(accessDesk), ...(await addCrowd(accessDesk, crowdSize))];
  const sessions = [cookie.value];
  for (const { personId, isAdmin } of accessDesk.book.list("person"))
    if (!isAdmin) sessions.push((await signIns.openSession(personId)).token);
  parts.close();
  const check = async (authorization: string | null, session: string | null) => {
    const principal = await principals.of({ authorization, session, address: "bench" });
    if (!principal.ok) throw new Error(principal.error.message);
    const about = { projectId: "default", task: null };
    const refusal = permissionRefusal(principal.value, "runs.read", about, wallClock.nowUnixMs());
    // An admin holds no other role, and is refused.
    if (principal.value.kind !== "person" || (refusal !== null && !principal.value.rights.isAdmin))
      throw new Error("the check refused its person");
  };
  return {
    session: (index) => check(null, present(sessions[index % sessions.length], "a session")),
    "API token": (index) => check(`Bearer ${present(tokens[index % tokens.length], "a token")}`, null),
  };
}

async function* checkLines(
  [alone, crowded]: readonly [Checks, Checks],
  count: number,
  crowdSize: number,
): AsyncIterable<BenchLine> {
  for (const reader of ["session", "API token"] as const) {
    const times: [number[], number[]] = [[], []];
    for (let batch = 0; batch < BATCHES; batch++) {
      for (const [which, checks] of [alone, crowded].entries()) {
        const beganMs = performance.now();
        for (let index = 0; index < count; index++) await checks[reader](batch * count + index);
        times[which as 0 | 1].push(((performance.now() - beganMs) / count) * 1_000);
      }
    }
    const value = quantile(times[1], 0.5);
    const name = `a check of one ${reader} among ${crowdSize}, p50`;
    yield { name, value, unit: "µs", ...compared("of the only one", quantile(times[0], 0.5), value) };
  }
}

interface Rounds {
  readonly seconds: number[];
  readonly cpuMs: number[];
}

/** Rounds of either federation in turn, each first as often as second. */
async function roundsInTurn(
  alone: ProcessFederation,
  crowded: ProcessFederation,
  slug: string,
  count: number,
): Promise<readonly [Rounds, Rounds]> {
  const measured = [
    { federation: alone, rounds: { seconds: [], cpuMs: [] } as Rounds },
    { federation: crowded, rounds: { seconds: [], cpuMs: [] } as Rounds },
  ] as const;
  for (let round = -WARM_UP_ROUNDS; round < count; round++) {
    for (const { federation, rounds } of round % 2 === 0 ? measured : measured.toReversed()) {
      const before = cpuMs(federation.coordinatorPid) ?? 0;
      const seconds = await roundSeconds(federation, slug);
      if (round < 0) continue;
      rounds.seconds.push(seconds);
      rounds.cpuMs.push((cpuMs(federation.coordinatorPid) ?? 0) - before);
    }
  }
  return [measured[0].rounds, measured[1].rounds];
}

async function roundSeconds({ api }: ProcessFederation, slug: string): Promise<number> {
  const { runId } = await api.launch({ task: slug, rounds: 1, seed: 7 });
  await until("the end of a run", ROUND_WITHIN_MS, async () => (await api.run(runId)).endedAt !== null);
  const { phase, code, nowS } = present<RoundView>((await api.rounds(runId))[0], "a round");
  if (phase !== "committed") throw new Error(`a round ended as ${phase}: ${code}`);
  return nowS;
}

function* roundLines([alone, crowded]: readonly [Rounds, Rounds], crowdSize: number): Generator<BenchLine> {
  const beside = `beside ${crowdSize} people, roles and tokens`;
  const value = quantile(crowded.seconds, 0.5);
  const name = `a round ${beside}, p50`;
  yield { name, value, unit: "s", ...compared("beside one person", quantile(alone.seconds, 0.5), value) };
  const mean = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;
  const cpu = mean(crowded.cpuMs);
  const line = { name: "CPU of its coordinator, mean", value: cpu, unit: "ms" };
  // The system counts in steps of 10 ms, so that a small round may take none.
  yield mean(alone.cpuMs) > 0 ? { ...line, ...compared("beside one person", mean(alone.cpuMs), cpu) } : line;
}
