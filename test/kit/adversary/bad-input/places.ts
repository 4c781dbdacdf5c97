/* The places of a value that can be spoilt, one at a time. */

export type Path = readonly (string | number)[];

export interface Leaf {
  readonly path: Path;
  readonly value: unknown;
}

/** Of lists longer than two only the first and the last element are tried, as everywhere in this kit. */
export function leavesOf(value: unknown, path: Path = []): Leaf[] {
  if (Array.isArray(value)) {
    const tried = [...new Set([0, value.length - 1])].filter((index) => index >= 0);
    return tried.flatMap((index) => leavesOf(value[index], [...path, index]));
  }
  if (isRecord(value))
    return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
  return [{ path, value }];
}

/** Paths of the objects in a value, its own first. */
export function objectsOf(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((inner) => objectsOf(inner, [...path, 0]));
  if (!isRecord(value)) return [];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => objectsOf(inner, [...path, key]))];
}

/** Paths of the lists in a value. */
export function listsOf(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value))
    return [path, ...value.slice(0, 1).flatMap((inner) => listsOf(inner, [...path, 0]))];
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => listsOf(inner, [...path, key]));
}

export function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown>)[step], value);
}

/** A copy with another value at `path`. */
export function replaced(value: unknown, path: Path, change: (inner: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  const inner = replaced((value as Record<string | number, unknown>)[step], rest, change);
  if (Array.isArray(value)) return value.map((element, index) => (index === step ? inner : element));
  return { ...(value as object), [step]: inner };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" && value !== null && !(value instanceof Uint8Array) && !Array.isArray(value)
  );
}
