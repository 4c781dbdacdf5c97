import { createHash } from "node:crypto";
import { parseTar } from "nanotar";
import { expect, test } from "vitest";
import type { BrowserStore, StoredContribution } from "#client/adapters/browser-store.ts";
import { ContributionArchive } from "#client/adapters/contribution-archive.ts";
import type { StoredConsent } from "#client/core/participant/ports.ts";
import { primitives } from "#shared/node/system.ts";

/* "My contributions", from a store that has two rounds, of which the older one keeps its figures alone. */

const bytes = (text: string) => new TextEncoder().encode(text);
const contribution = (id: string, sent: StoredContribution["sent"], own: StoredContribution["own"]) =>
  ({
    id,
    slug: "digits",
    at: 0,
    detail: { id, sha256: "ab", sample: null, histograms: null },
    sent,
    own,
  }) as unknown as StoredContribution;

const newestFirst = [
  contribution("run-2", [{ name: "masked-list.u32", bytes: bytes("masked") }], bytes("own")),
  contribution("run-1", [], null),
];
const store = { newestContributions: async () => [...newestFirst] } as unknown as BrowserStore;
const consent = { slug: "digits", version: 3 } as StoredConsent;

test("[A71] one file has each round, the consent and the page's texts, and lists each with its length and SHA-256", async () => {
  const archive = new ContributionArchive(store, "digits", primitives);
  const texts = [{ name: "README.txt", text: "What it is.\n" }];
  const files = parseTar(await archive.tarAll(consent, texts, 1_000));
  expect(files.map(({ name }) => name)).toEqual([
    "README.txt",
    "agreed.json",
    "run-1/receipt.json",
    "run-2/receipt.json",
    "run-2/left/masked-list.u32",
    "run-2/stayed/own-list.i32",
    "index.json",
  ]);
  const index = JSON.parse(files.at(-1)?.text ?? "");
  expect(index).toEqual({
    format: "chorus-my-contributions/1",
    task: "digits",
    files: files.slice(0, -1).map(({ name, data = new Uint8Array(0) }) => ({
      name,
      byteCount: data.length,
      sha256: createHash("sha256").update(data).digest("hex"),
    })),
  });
  expect(JSON.parse(files[1]?.text ?? "")).toEqual(consent);
});
