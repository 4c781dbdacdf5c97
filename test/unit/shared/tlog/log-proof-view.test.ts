import { expect, test } from "vitest";
import { primitives } from "#shared/node/system.ts";
import { logProofOf, logProofView, logProofViewSchema } from "#shared/tlog/log-proof-view.ts";
import { MemoryLog } from "#test/kit/tlog.ts";

async function proofOfTwo() {
  const log = new MemoryLog(primitives);
  for (const code of ["TIMEOUT", "STOPPED", "TIMEOUT"])
    await log.add("round.aborted", { roundId: "cd".repeat(16), code, opened: false });
  return log.proof(1, [0, 2]);
}

test("[A73] a proof is the same after it went over HTTP as JSON", async () => {
  const proof = await proofOfTwo();
  const sent = JSON.parse(JSON.stringify(logProofView(proof)));
  expect(logProofOf(logProofViewSchema.parse(sent))).toEqual({ ok: true, value: proof });
});

test.each(["*", "AA", "AA==\n", "-_-_"])("[A73] a hash that is not base64 is refused: %j", async (text) => {
  const view = logProofView(await proofOfTwo());
  const refused = { ok: false, error: { type: "not-base64" } };
  expect(logProofOf({ ...view, consistency: [text] })).toEqual(refused);
  expect(logProofOf({ ...view, leaves: [{ index: 0, leaf: text, path: [] }] })).toEqual(refused);
  expect(logProofOf({ ...view, rotations: [{ index: 0, leaf: "", path: [text] }] })).toEqual(refused);
});
