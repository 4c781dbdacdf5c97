const BUSY_MS_MAX = 40;

/**
 * Yields to the event loop if the last yield was `BUSY_MS_MAX` ago, so that sockets answer their pings while a CPU engine
 * computes. A timer of 0 ms takes 1 to 4 ms, so yielding after every step would cost more than a small step.
 */
export function breathe(): () => Promise<void> {
  let lastTurnMs = performance.now();
  return async () => {
    if (performance.now() - lastTurnMs < BUSY_MS_MAX) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    lastTurnMs = performance.now();
  };
}
