/** An immutable value made of slices. A patch replaces some; the others keep their identity. */
export interface Slices<T extends object> {
  get(): T;
  patch(patch: Partial<T>): void;
  /** Called with each patch. */
  subscribe(listener: (patch: Partial<T>) => void): () => void;
}

export function createSlices<T extends object>(initial: T): Slices<T> {
  let value = initial;
  const listeners = new Set<(patch: Partial<T>) => void>();
  return {
    get: () => value,
    patch: (patch) => {
      value = { ...value, ...patch };
      for (const listener of listeners) listener(patch);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
