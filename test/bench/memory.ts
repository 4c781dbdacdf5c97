import { watchResident } from "../kit/resident-bytes.ts";
import { until } from "../kit/worlds/coordinator-process.ts";
import { openProcessFederation, pictureTask } from "../kit/worlds/process-federation.ts";
import { type Bench, type BenchLine, type BenchOptions, compared } from "./line.ts";

/*
 * The coordinator's resident memory while a cohort of 50 trains a model of a million weights; the devices are in other
 * processes. The first rounds are a warm-up that fills heaps, threads and caches.
 */

const SMALL = { deviceCounts: [2, 2], hiddenUnits: 2, rounds: 1 };
const FULL = { deviceCounts: [25, 25], hiddenUnits: 1_258, rounds: 4 };
const ROUND_MS = 1_200_000;
/** The larger of these applies: 6 model sizes, or this. */
const LIMIT_MODELS = 6;
const LIMIT_BYTES = 70e6;

export const bench: Bench = { name: "memory", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { deviceCounts, hiddenUnits, rounds } = small ? SMALL : FULL;
  const cohort = deviceCounts.reduce((sum, count) => sum + count, 0);
  const task = pictureTask(cohort, hiddenUnits);
  const { api, coordinatorPid, devices, close } = await openProcessFederation(task, deviceCounts);
  const memory = watchResident(coordinatorPid);
  try {
    const { parameterCount } = await api.task(task.slug);
    const idle = memory.now();
    for (const device of devices) device.send({ type: "start", held: false });
    const { runId } = await api.launch({ task: task.slug, rounds: rounds + 1, seed: 7 });
    const committed = (count: number) =>
      until(`round ${count}`, count * ROUND_MS, async () => {
        const run = await api.run(runId);
        if (run.currentRound?.phase === "failed") throw new Error(`a round failed: ${run.currentRound.code}`);
        return run.roundsCommitted >= count;
      });
    await committed(1);
    const warm = memory.now();
    const warmHighest = memory.highest();
    memory.reset();
    await committed(rounds + 1);
    const growth = (memory.highest() - warm) / 1e6;
    const limit = Math.max(LIMIT_MODELS * 4 * parameterCount, LIMIT_BYTES) / 1e6;
    const size = `cohort ${cohort}, ${parameterCount} weights`;
    yield {
      name: `growth over ${rounds} rounds after a warm-up round`,
      value: growth,
      unit: "MB",
      ...compared("limit", limit, growth),
    };
    yield {
      name: `resident, highest after the warm-up (${size})`,
      value: memory.highest() / 1e6,
      unit: "MB",
    };
    yield { name: "resident, highest in the warm-up round", value: warmHighest / 1e6, unit: "MB" };
    yield { name: "resident after the warm-up round", value: warm / 1e6, unit: "MB" };
    yield { name: "resident before the first device", value: idle / 1e6, unit: "MB" };
    yield { name: "resident after the last round", value: memory.now() / 1e6, unit: "MB" };
  } finally {
    memory.stop();
    await close();
  }
}
