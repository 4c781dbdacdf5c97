import { expect, test } from "vitest";
import { logShell } from "#coordinator/core/tasks/shell-leaf.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { encodeLeaf, parseLeaf } from "#shared/tlog/leaf.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";
import { TEST_CODE } from "#test/kit/secagg-fixtures.ts";

test("[A54] a start logs the page that is served if it is another than the one logged last", async () => {
  const store = memoryStore();
  const start = (digit: string | null) => {
    const shellHash = digit === null ? null : (digit.repeat(64) as HashHex);
    return logShell({ store, wall: { nowUnixMs: () => 7 }, code: { ...TEST_CODE, shellHash } });
  };
  for (const digit of ["a", "a", null, "b", "b", "a"]) await start(digit);
  const leaves = await store.leavesAfter(0, 10);
  expect(leaves.map(({ body }) => String(body["hash"])[0])).toEqual(["a", "b", "a"]);
  for (const { kind, at, body } of leaves)
    expect(parseLeaf(encodeLeaf(kind, at, body))).toMatchObject({
      ok: true,
      value: { kind: "shell.published", at: 7 },
    });
});
