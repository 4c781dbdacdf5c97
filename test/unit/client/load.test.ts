import { afterEach, expect, test, vi } from "vitest";

/*
 * What load.mjs makes of a coordinator's refusals. A real browser loads it from another site in test/e2e/load-anywhere.test.ts.
 */

const REFERENCE = "https://host.example/models/digits@champion";
const ANSWER = { version: 3, modelHash: "ab".repeat(32), runNumber: 2, round: 5, measures: null };
const SOURCE = "export const predict = () => 7; export const model = { features: 64 };";
const LOADER = new URL("../../../client/load.mjs", import.meta.url).href;

interface Loaded {
  readonly version: number;
  readonly isFromCache: boolean;
}
const { load } = (await import(LOADER)) as { load(reference: string): Promise<Loaded> };

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A page's cache and network. `alias` answers the question for the alias. */
function openPage(): { alias: () => Response } {
  const page = { alias: () => Response.json(ANSWER) };
  const kept = new Map<string, string>();
  const cache = {
    match: async (key: string) => (kept.has(key) ? new Response(kept.get(key)) : undefined),
    put: async (key: string, answer: Response) => void kept.set(key, await answer.text()),
    keys: async () => [...kept.keys()].map((url) => ({ url })),
    delete: async (key: string) => kept.delete(key),
  };
  vi.stubGlobal("caches", { open: async () => cache });
  vi.stubGlobal("fetch", async (url: string) =>
    url.endsWith("/aliases/champion") ? page.alias() : new Response(SOURCE),
  );
  // Node imports no blobs.
  vi.spyOn(URL, "createObjectURL").mockReturnValue(`data:text/javascript,${encodeURIComponent(SOURCE)}`);
  return page;
}

test("[W28] a refusal ends the use of a model on pages that may read it; others go on with the model they have", async () => {
  const page = openPage();
  expect(await load(REFERENCE)).toMatchObject({ version: 3, isFromCache: false });

  // So it looks to a page of another site, whatever the coordinator said: there is no wildcard.
  page.alias = () => {
    throw new TypeError("Failed to fetch");
  };
  expect(await load(REFERENCE)).toMatchObject({ version: 3, isFromCache: true });

  page.alias = () => new Response(null, { status: 503 });
  expect(await load(REFERENCE)).toMatchObject({ version: 3, isFromCache: true });
  for (const status of [401, 403, 404]) {
    page.alias = () => new Response(null, { status });
    await expect(load(REFERENCE), String(status)).rejects.toThrow(`status ${status}`);
  }
});
