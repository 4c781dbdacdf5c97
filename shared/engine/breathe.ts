const BUSY_MS_MAX = 40;

/**
 * Lets the event loop turn when the last turn is `BUSY_MS_MAX` ago: sockets answer their pings while the CPU engines
 * compute. Timers of 0 ms are held back to 1 to 4 ms, so turning after every step would cost more than a small step.
 */
export function breathe(): () => Promise<void> {
  let lastTurnMs = performance.now();
  return async () => {
    if (performance.now() - lastTurnMs < BUSY_MS_MAX) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    lastTurnMs = performance.now();
  };
}
