import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wordsToBytes } from "#shared/codec/vector-bytes.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { type Planted, plant } from "#test/kit/planted.ts";
import { calmTask } from "#test/kit/sim/calm-plan.ts";

/* A copy of the product in which a segment of two words, `visits`, stands before the update. */

const FOLDER = "shared/vector/segments";
const UPDATE_AT = 2;
const primitives = webCryptoPrimitives(crypto.subtle);

type Drafts = typeof import("#client/core/round/contribution.ts");
type Encoding = typeof import("#client/core/round/encode-update.ts");

let planted: Planted;
let ContributionDraft: Drafts["ContributionDraft"];
let encodeUpdate: Encoding["encodeUpdate"];

beforeAll(async () => {
  const file = `${FOLDER}/index.ts`;
  planted = await plant([
    { file, find: "[update, weight,", replace: "[visits, update, weight," },
    {
      file,
      find: 'import { weight } from "./weight.ts";',
      replace: 'import { weight } from "./weight.ts"; import { visits } from "./visits.ts";',
    },
  ]);
  const visits = fileURLToPath(new URL("../../../../kit/dummies/visits.ts", import.meta.url));
  await cp(visits, join(planted.folder, FOLDER, "visits.ts"));
  ({ ContributionDraft } = await planted.load<Drafts>("client/core/round/contribution.ts"));
  ({ encodeUpdate } = await planted.load<Encoding>("client/core/round/encode-update.ts"));
}, 60_000);
afterAll(() => planted.remove());

const none = { count: 0, lossSum: 0, correct: 0 };

/** One contribution's lists and its page, with a mask of 0x10001 more for each word. */
async function shown(ring: 16 | 32) {
  const task = calmTask(5, { ring });
  const delta = new Float32Array(15).map((_, index) => (index - 6) / 1_000);
  const trained = { delta, numExamples: 6, before: none, after: none, epochLosses: [], seconds: 1 };
  const invite = {
    runId: "0".repeat(32) as never,
    round: 1,
    roundParams: { purpose: "train", training: task.training },
  } as const;
  const random = (length: number) => new Uint8Array(length).fill(3);
  const encoded = await encodeUpdate({ primitives, random }, task, invite, trained);
  const own = new Int32Array(encoded.words);
  const draft = new ContributionDraft({ runId: invite.runId, round: 1, attempt: 1 }, trained, 0);
  draft.encodes(encoded);
  const left = Uint32Array.from(own, (word, index) => word + 0x10001 * (index + 1));
  draft.masks(wordsToBytes(left), "", "");
  const { sample, histograms } = draft.detail({
    stepsAt: {},
    rosterSize: 5,
    outcome: null,
  });
  if (sample === null || histograms === null) throw new Error("nothing left");
  return { own, left, delta, sample, histograms };
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

test("[S24] the page shows the update where the layout puts it, on words", async () => {
  const { own, left, delta, sample, histograms } = await shown(32);
  expect([...own.subarray(0, UPDATE_AT)]).toEqual([6, -6]);
  expect([...sample.update]).toEqual([...own.subarray(UPDATE_AT)]);
  expect([...sample.left]).toEqual([...left.subarray(UPDATE_AT)]);
  expect([...sample.masks]).toEqual([...sample.left].map((_, index) => 0x10001 * (index + UPDATE_AT + 1)));
  expect((sample.update[0] ?? 0) * sample.unit).toBeCloseTo(delta[0] ?? 0, 5);
  expect(total(histograms.update.counts)).toBe(delta.length);
  expect(histograms.update.to).toBeCloseTo(8 / 1_000, 5);
  expect(total(histograms.left.counts)).toBe(own.length);
});

test("[S20] [S24] the page shows the update where the layout puts it, on halves of words", async () => {
  const { left, delta, sample, histograms } = await shown(16);
  const halves = new Uint16Array(left.buffer).subarray(2 * UPDATE_AT);
  expect([...sample.left]).toEqual([...halves.subarray(0, delta.length)]);
  expect([...sample.masks.subarray(0, 4)]).toEqual([3, 3, 4, 4]);
  expect(total(histograms.left.counts)).toBe(16);
});
