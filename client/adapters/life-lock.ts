/*
 * Detects the end of a worker. Browsers do not report a worker that was closed or killed for its memory. But a Web Lock
 * that the worker holds is released then, and whoever waits for that lock learns of it at once.
 */

export function lifeLockName(): string {
  return `chorus life ${crypto.randomUUID()}`;
}

/** Holds the lock as long as this worker lives; called in the worker. Resolves when it is held. */
export function holdForLife(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, () => {
        resolve();
        return new Promise<never>(() => {});
      })
      .catch(reject);
  });
}

/**
 * Called outside, once the worker holds the lock: runs `onEnd` when the worker has ended, `terminate` included.
 * @returns a function that stops watching.
 */
export function onLifeEnd(name: string, onEnd: () => void): () => void {
  const abort = new AbortController();
  navigator.locks.request(name, { signal: abort.signal }, onEnd).catch(() => undefined);
  return () => abort.abort();
}
