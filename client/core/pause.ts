import type { ClientPorts } from "./ports.ts";

/** Resolves after the delay, or as soon as `signal` is aborted. */
export function pause(
  after: ClientPorts["after"],
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = () => {
      cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const cancel = after(delayMs, end);
    signal?.addEventListener("abort", end);
  });
}
