const REPEATS_MAX = 5;
const REPEAT_WITHIN_S = 4;

export interface Taken {
  readonly wallS: number;
  /** Summed over all threads. */
  readonly cpuS: number;
}

export async function seconds(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1e3;
}

/** Wall-clock and CPU seconds of some work in this process. */
export async function taken(work: () => Promise<void>): Promise<Taken> {
  const before = process.cpuUsage();
  const wallS = await seconds(work);
  const { user, system } = process.cpuUsage(before);
  return { wallS, cpuS: (user + system) / 1e6 };
}

/** The fastest of a few runs of each, run alternately; slow ones run once. */
export async function alternately(
  runs: readonly (() => Promise<Taken>)[],
): Promise<readonly (Taken | null)[]> {
  const best: (Taken | null)[] = runs.map(() => null);
  let spent = 0;
  for (let turn = 0; turn < REPEATS_MAX && spent < REPEAT_WITHIN_S; turn++) {
    for (const [index, run] of runs.entries()) {
      const figures = await run();
      const before = best[index] ?? null;
      if (before === null || figures.wallS < before.wallS) best[index] = figures;
      spent += figures.wallS;
    }
  }
  return best;
}
