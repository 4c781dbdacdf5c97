const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * Ends the process with 0 when it is told to. A command calls this before it loads its program: loading takes longer than
 * a supervisor may wait before it changes its mind, and Node itself would end by the signal.
 *
 * @param limitMs  For the stop; a process that takes longer ends with 1.
 * @returns Takes what has to be stopped first. Until then nothing is under way that the next start would not go on with.
 */
export function endOnSignals(limitMs: number): (stop: () => Promise<void>) => void {
  let stop: (() => Promise<void>) | null = null;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stop === null) process.exit(0);
      setTimeout(() => process.exit(1), limitMs).unref();
      // A second signal joins the stop of the first.
      void stop().then(() => process.exit(0));
    });
  }
  return (started) => {
    stop = started;
  };
}
