import { openWorkbench, type Workbench } from "#client/index.ts";

let bench: Promise<Workbench> | null = null;

/** The engines of this page, opened when they are first needed and kept for its life: starting one takes seconds. */
export function workbench(): Promise<Workbench> {
  bench ??= openWorkbench();
  // A network that was down may be up at the next try.
  bench.catch(() => {
    bench = null;
  });
  return bench;
}
