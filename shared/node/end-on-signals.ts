const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * Ends the process with code 0 when a signal asks for it. A command calls this before it loads its program: a supervisor
 * may send a signal during the long load, and Node's default would be to die by the signal.
 *
 * @param limitMs  Time limit for the stop. A process that takes longer ends with code 1.
 * @returns A function that registers the stop to run first. Before it is called, the process can end at any time, because
 * the next start resumes whatever was begun.
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
