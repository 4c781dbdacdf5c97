/*
 * How the end of a worker is noticed. Browsers say nothing of a worker that was closed or taken away for its memory; but a
 * Web Lock that it holds is free then, and whoever waits for that lock learns of it at once.
 */

export function lifeLockName(): string {
  return `chorus life ${crypto.randomUUID()}`;
}

/** In the worker: holds the lock as long as the worker lives. Resolves when it is held. */
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

/** Outside, once the worker holds it: calls `onEnd` when the worker has ended, `terminate` included. @returns what ends it. */
export function onLifeEnd(name: string, onEnd: () => void): () => void {
  const abort = new AbortController();
  navigator.locks.request(name, { signal: abort.signal }, onEnd).catch(() => undefined);
  return () => abort.abort();
}
