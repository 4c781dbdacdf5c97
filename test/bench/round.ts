import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoundView } from "#shared/protocol/api.ts";
import { TIMED_PHASES } from "#shared/round/phases.ts";
import { pause, until } from "../kit/worlds/coordinator-process.ts";
import {
  type DeviceProcess,
  openProcessFederation,
  type ProcessFederation,
  pictureTask,
} from "../kit/worlds/process-federation.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";
import { cpuMs, groupTimes, monotonicUs, profileFlags, type Span, selfTimes } from "./profile.ts";

/*
 * A round from its last check-in to the committed model: ten device processes, whose training takes no time, and a
 * coordinator process. The comparison is a plain mean of as many numbers from the same processes: every process PUTs
 * them, and one server adds them in the clear and answers with the mean, without checks, log or evaluation.
 */

const WARM_UP_ROUNDS = 2;
const SMALL = { deviceCount: 4, hiddenUnits: 2, rounds: 1 };
const FULL = { deviceCount: 10, hiddenUnits: 126, rounds: 12 };
/** Time for the others' check-ins and their writes; the last check-in ends recruiting (R3). */
const LAST_CHECK_IN_S = 0.15;
/** What the demand for proofs may cost, of a round without. */
const DEMAND_BAR = 1.1;

export const bench: Bench = { name: "round", run };

async function* run({ small = false, profile = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { deviceCount, hiddenUnits, rounds } = small ? SMALL : FULL;
  const task = pictureTask(deviceCount, hiddenUnits);
  const profiles = profile ? mkdtempSync(join(tmpdir(), "chorus-profile-")) : null;
  const options = profiles === null ? {} : { flags: profileFlags(profiles), gently: true };
  const each = new Array<number>(deviceCount).fill(1);
  const federation = await openProcessFederation(task, each, options);
  // The same, except that its devices demand no proofs of the public log.
  const unasked = profile ? null : await openProcessFederation(task, each, { demandsProofs: false });
  const measured: MeasuredRound[] = [];
  const without: MeasuredRound[] = [];
  try {
    const { parameterCount } = await federation.api.task(task.slug);
    const turns = [
      { rounds: await beginRounds(federation, task.slug, WARM_UP_ROUNDS + rounds), into: measured },
    ];
    if (unasked !== null)
      turns.push({ rounds: await beginRounds(unasked, task.slug, WARM_UP_ROUNDS + rounds), into: without });
    for (let round = 1; round <= WARM_UP_ROUNDS + rounds; round++) {
      // What one does between its rounds is over before another is measured.
      for (const turn of turns) await turn.rounds.untilReady(round);
      for (const turn of turns) turn.into.push(await turn.rounds.measure(round));
      // In turns, so that a busy machine slows both alike, and neither is always the first.
      turns.reverse();
    }
    const plain: number[] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
      plain.push(await plainMean(federation.devices, parameterCount));
    }
    yield* lines(measured.slice(WARM_UP_ROUNDS), plain.slice(WARM_UP_ROUNDS), deviceCount, parameterCount);
    if (unasked !== null) yield* demandLines(measured.slice(WARM_UP_ROUNDS), without.slice(WARM_UP_ROUNDS));
  } finally {
    await federation.close();
    await unasked?.close();
  }
  if (profiles === null) return;
  yield* profileLines(profiles, federation, measured.slice(WARM_UP_ROUNDS));
  rmSync(profiles, { recursive: true, force: true });
}

/** Where the time of a round goes: on the coordinator, and on all devices together. */
function* profileLines(
  folder: string,
  { coordinatorPid, devicePids }: ProcessFederation,
  measured: readonly MeasuredRound[],
): Generator<BenchLine> {
  const spans = measured.map(({ span }) => span);
  for (const [who, pids, cpu] of [
    ["coordinator", [coordinatorPid], (one: MeasuredRound) => one.coordinatorCpuMs],
    ["devices", devicePids, (one: MeasuredRound) => one.devicesCpuMs],
  ] as const) {
    const shares = selfTimes(folder, (file) => pids.some((pid) => file.split(".").includes(`${pid}`)), spans);
    const busyMs = shares.filter(({ category }) => category !== "idle").reduce((sum, { ms }) => sum + ms, 0);
    const nativeMs = Math.max(0, measured.reduce((sum, one) => sum + cpu(one), 0) - busyMs);
    const groups = [
      ...groupTimes(shares),
      { group: "native threads: WebCrypto, files, collector", ms: nativeMs },
    ];
    const all = groups.reduce((sum, { ms }) => sum + ms, 0) / measured.length;
    for (const { group, ms } of groups) {
      const value = ms / measured.length;
      yield { name: `${who}, in all: ${group}`, value, unit: "ms", ...compared("of", all, value) };
    }
    for (const { category, ms, functions } of shares) {
      const most = functions.map((one) => `${one.name} ${(one.ms / measured.length).toFixed(1)}`).join("; ");
      yield { name: `${who}: ${category}: ${most}`, value: ms / measured.length, unit: "ms" };
    }
  }
}

interface MeasuredRound {
  readonly view: RoundView;
  /** From the order to the last device to check in until the last device knows the outcome, on the bench's clock. */
  readonly outsideS: number;
  readonly span: Span;
  readonly coordinatorCpuMs: number;
  readonly devicesCpuMs: number;
}

interface Rounds {
  /** All devices but one have checked in. */
  untilReady(round: number): Promise<unknown>;
  measure(round: number): Promise<MeasuredRound>;
}

async function beginRounds(
  { api, devices, coordinatorPid, devicePids }: ProcessFederation,
  slug: string,
  count: number,
): Promise<Rounds> {
  const cpu = () => [cpuMs(coordinatorPid) ?? 0, devicePids.reduce((sum, pid) => sum + (cpuMs(pid) ?? 0), 0)];
  const last = devices.at(-1) as DeviceProcess;
  const ends = countEnds(devices);
  for (const device of devices) device.send({ type: "start", held: device === last });
  const { runId } = await api.launch({ task: slug, rounds: count, seed: 7 });
  const untilReady = (round: number) =>
    until(`round ${round} with one device missing`, 120_000, async () => {
      const current = (await api.run(runId)).currentRound;
      return (
        current?.round === round && current.joined === devices.length - 1 && current.nowS > LAST_CHECK_IN_S
      );
    });
  const measure = async (round: number): Promise<MeasuredRound> => {
    const [coordinatorBefore = 0, devicesBefore = 0] = cpu();
    const fromUs = monotonicUs();
    last.send({ type: "check-in" });
    // The coordinator gets no requests while it works.
    await ends(round);
    const span = { fromUs, toUs: monotonicUs() };
    const [coordinatorAfter = 0, devicesAfter = 0] = cpu();
    const view = (await api.rounds(runId)).find((one) => one.round === round);
    if (view?.phase !== "committed") throw new Error(`round ${round} ended as ${view?.phase}: ${view?.code}`);
    return {
      view,
      span,
      outsideS: (span.toUs - span.fromUs) / 1e6,
      coordinatorCpuMs: coordinatorAfter - coordinatorBefore,
      devicesCpuMs: devicesAfter - devicesBefore,
    };
  };
  return { untilReady, measure };
}

/** What it costs that devices demand proofs of the public log (A40, A41). */
function* demandLines(
  measured: readonly MeasuredRound[],
  without: readonly MeasuredRound[],
): Generator<BenchLine> {
  const seconds = (rounds: readonly MeasuredRound[]) =>
    quantile(
      rounds.map(({ outsideS }) => outsideS),
      0.5,
    );
  const cpuOf = (rounds: readonly MeasuredRound[]) =>
    rounds.reduce((sum, one) => sum + one.coordinatorCpuMs + one.devicesCpuMs, 0) / rounds.length;
  const [value, peer] = [seconds(measured), seconds(without)];
  yield {
    name: "a round whose devices demand proofs, p50",
    value,
    unit: "s",
    ...compared("without", peer, value),
  };
  const ratios = measured.map(({ outsideS }, index) => outsideS / (without[index]?.outsideS ?? Number.NaN));
  const ratio = quantile(ratios, 0.5);
  yield {
    name: "such a round over one without in the same turn, p50",
    value: ratio,
    unit: "times",
    ...compared("bar", DEMAND_BAR, ratio),
  };
  const [cpu, cpuPeer] = [cpuOf(measured), cpuOf(without)];
  yield {
    name: "CPU of such a round, all processes",
    value: cpu,
    unit: "ms",
    ...compared("without", cpuPeer, cpu),
  };
}

/** @returns a function that resolves when every device has heard how a round ended. */
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

/** Seconds from the order to send until the last answer is written. */
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

/** Mean CPU time of a round: on a machine with busy cores this is what a round takes. */
function* cpuLines(measured: readonly MeasuredRound[], deviceCount: number): Generator<BenchLine> {
  const mean = (of: (one: MeasuredRound) => number) =>
    measured.reduce((sum, one) => sum + of(one), 0) / measured.length;
  yield { name: "CPU of a round, coordinator", value: mean((one) => one.coordinatorCpuMs), unit: "ms" };
  const value = mean((one) => one.devicesCpuMs) / deviceCount;
  yield { name: "CPU of a round, each device", value, unit: "ms" };
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
  yield* cpuLines(measured, deviceCount);
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
