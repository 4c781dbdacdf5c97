import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type RoundView, TIMED_PHASES } from "#shared/protocol/api.ts";
import { pause, until } from "../kit/coordinator-process.ts";
import {
  type DeviceProcess,
  openProcessFederation,
  type ProcessFederation,
  pictureTask,
} from "../kit/process-federation.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";

/*
 * A round from its last check-in to the committed model: ten devices, each a process of its own, whose training takes no
 * time, and a coordinator process. Beside it a plain mean of as many numbers from the same processes: every process PUTs
 * them, one server adds them in clear and answers with the mean. No checks, no log, no evaluation there.
 */

const WARM_UP_ROUNDS = 2;
const SMALL = { deviceCount: 4, hiddenUnits: 2, rounds: 1 };
const FULL = { deviceCount: 10, hiddenUnits: 126, rounds: 12 };
/** Recruiting stays open for 2 s by rule R3; the last check-in comes after that and ends it. */
const LAST_CHECK_IN_S = 2.1;

export const bench: Bench = { name: "round", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { deviceCount, hiddenUnits, rounds } = small ? SMALL : FULL;
  const task = pictureTask(deviceCount, hiddenUnits);
  const federation = await openProcessFederation(task, new Array<number>(deviceCount).fill(1));
  try {
    const { parameterCount } = await federation.api.task(task.slug);
    const measured = await runRounds(federation, task.slug, WARM_UP_ROUNDS + rounds);
    const plain: number[] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
      plain.push(await plainMean(federation.devices, parameterCount));
    }
    yield* lines(measured.slice(WARM_UP_ROUNDS), plain.slice(WARM_UP_ROUNDS), deviceCount, parameterCount);
  } finally {
    await federation.close();
  }
}

interface MeasuredRound {
  readonly view: RoundView;
  /** From the order to the last device to check in, to the last device that knows the outcome; on the bench's clock. */
  readonly outsideS: number;
}

async function runRounds(
  { api, devices }: ProcessFederation,
  slug: string,
  count: number,
): Promise<MeasuredRound[]> {
  const last = devices.at(-1) as DeviceProcess;
  const ends = countEnds(devices);
  for (const device of devices) device.send({ type: "start", held: device === last });
  const { runId } = await api.launch({ task: slug, rounds: count, seed: 7 });
  const measured: MeasuredRound[] = [];
  for (let round = 1; round <= count; round++) {
    await until(`round ${round} with one device missing`, 120_000, async () => {
      const current = (await api.run(runId)).currentRound;
      return (
        current?.round === round && current.joined === devices.length - 1 && current.nowS > LAST_CHECK_IN_S
      );
    });
    const began = performance.now();
    last.send({ type: "check-in" });
    // Nothing is asked of the coordinator while it works.
    await ends(round);
    const outsideS = (performance.now() - began) / 1e3;
    const view = (await api.rounds(runId)).find((one) => one.round === round);
    if (view?.phase !== "committed") throw new Error(`round ${round} ended as ${view?.phase}: ${view?.code}`);
    measured.push({ view, outsideS });
  }
  return measured;
}

/** @returns what resolves when every device has heard how a round ended. */
function countEnds(devices: readonly DeviceProcess[]): (round: number) => Promise<void> {
  const endedByRound = new Map<number, number>();
  const waiting = new Map<number, () => void>();
  for (const device of devices) {
    device.on("ended", (message) => {
      const ended = (endedByRound.get(message.round) ?? 0) + 1;
      endedByRound.set(message.round, ended);
      if (ended === devices.length) waiting.get(message.round)?.();
    });
  }
  return (round) =>
    new Promise((resolve) => {
      if (endedByRound.get(round) === devices.length) resolve();
      else waiting.set(round, resolve);
    });
}

/** Seconds from the order to send, to the last answer that is written. */
async function plainMean(devices: readonly DeviceProcess[], count: number): Promise<number> {
  const updates: Float32Array[] = [];
  const answers: ServerResponse[] = [];
  const take = async (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    updates.push(new Float32Array(body.buffer, body.byteOffset, body.length / 4));
    answers.push(response);
    if (updates.length < devices.length) return;
    const mean = new Float32Array(count);
    for (const update of updates) {
      for (let index = 0; index < count; index++)
        mean[index] = (mean[index] as number) + (update[index] as number);
    }
    for (let index = 0; index < count; index++) mean[index] = (mean[index] as number) / updates.length;
    for (const answer of answers) answer.end(new Uint8Array(mean.buffer));
  };
  const server = createServer((incoming, response) => void take(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const answered = devices.map((device) => device.next("put"));
  const began = performance.now();
  for (const device of devices) device.send({ type: "put-plain", url: `http://127.0.0.1:${port}/`, count });
  await Promise.all(answered);
  const seconds = (performance.now() - began) / 1e3;
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  await pause(50);
  return seconds;
}

function* lines(
  measured: readonly MeasuredRound[],
  plain: readonly number[],
  deviceCount: number,
  parameterCount: number,
): Generator<BenchLine> {
  const views = measured.map(({ view }) => view);
  const seconds = views.map((view) => view.nowS - (view.phaseEndsS.recruiting ?? 0));
  const plainName = `plain mean, ${deviceCount} PUTs`;
  for (const [label, share] of [
    ["p50", 0.5],
    ["p90", 0.9],
  ] as const) {
    const value = quantile(seconds, share);
    yield {
      name: `last check-in to committed, ${deviceCount} of ${parameterCount}, ${label}`,
      value,
      unit: "s",
      ...compared(plainName, quantile(plain, share), value),
    };
  }
  yield {
    name: "check-in sent to outcome at every device, p50",
    value: quantile(
      measured.map(({ outsideS }) => outsideS),
      0.5,
    ),
    unit: "s",
  };
  const ends = [...TIMED_PHASES, "committed"] as const;
  for (const [index, phase] of TIMED_PHASES.entries()) {
    if (index === 0) continue;
    const before = ends[index - 1] as (typeof TIMED_PHASES)[number];
    const spans = views.map((view) => (view.phaseEndsS[phase] ?? view.nowS) - (view.phaseEndsS[before] ?? 0));
    yield { name: `phase ${phase}, p50`, value: quantile(spans, 0.5), unit: "s" };
  }
  for (const [label, key] of [
    ["up", "upByteCount"],
    ["down", "downByteCount"],
  ] as const) {
    const bytes = views.map(({ traffic }) => traffic.reduce((sum, step) => sum + step[key], 0));
    const value = quantile(bytes, 0.5) / 1e3;
    yield {
      name: `bytes ${label} per device`,
      value,
      unit: "kB",
      ...compared("float32 numbers", (4 * parameterCount) / 1e3, value),
    };
  }
}
