import { BrowserStore } from "#client/adapters/browser-store.ts";
import { CELLS_CASES } from "../cells-contract.ts";

/* The test suite of a device's memory on the real IndexedDB, and two stores on one database, as in two tabs. */

/** The name of each case, with its error or null. */
export async function runCellsCases(): Promise<readonly (readonly [name: string, problem: string | null])[]> {
  const verdicts: (readonly [string, string | null])[] = [];
  for (const [index, { name, run }] of CELLS_CASES.entries()) {
    const open = () => new BrowserStore(`http://case-${index}.test`);
    const problem = await run({ cells: open(), reopen: async () => open() }).then(
      () => null,
      (fault) => String(fault),
    );
    verdicts.push([name, problem]);
  }
  return verdicts;
}

/** How many of 20 stores on one database, all open at once, won the same empty cell. */
export async function raceOfStores(): Promise<number> {
  const stores = Array.from({ length: 20 }, () => new BrowserStore("http://race.test"));
  const won = await Promise.all(
    stores.map((store, index) => store.swap([{ key: "one", before: null, after: String(index) }])),
  );
  return won.filter(Boolean).length;
}

Object.assign(globalThis, { runCellsCases, raceOfStores });
