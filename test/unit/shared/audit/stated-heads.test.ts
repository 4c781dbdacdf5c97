import { beforeAll, expect, test } from "vitest";
import type { ShownLog } from "#shared/audit/look.ts";
import { checkServedHeads } from "#shared/audit/stated-heads.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { positionAtIndex } from "#shared/kernel/places.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { hashHexSchema } from "#shared/protocol/ids.ts";
import { rotationBody } from "#shared/tlog/key-rotation.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import type { StatedHead } from "#shared/transcript/stated-head.ts";
import { MemoryLog } from "#test/kit/tlog.ts";

let primitives: Primitives;
const RUN = "0".repeat(32);
const leaf = (kind: string) => encodeLeaf(kind, 1, { version: 1, runId: RUN });

beforeAll(async () => {
  primitives = await selectPrimitives(globalThis.crypto.subtle);
});

async function logOf(size: number, kind = "run.pauseAsked"): Promise<MemoryLog> {
  const log = new MemoryLog(primitives);
  await log.addBytes(...Array.from({ length: size }, () => leaf(kind)));
  return log;
}

async function headOf(log: MemoryLog, index: number, shard = 0): Promise<StatedHead> {
  const { size, root } = await log.head();
  return {
    shard,
    position: positionAtIndex(index),
    log: { size, root: hashHexSchema.parse(bytesToHex(root)) },
  };
}

async function check(
  served: MemoryLog,
  heads: readonly StatedHead[],
  {
    change = {},
    agreedKey = served.publicKey,
  }: { change?: Partial<ShownLog>; agreedKey?: Uint8Array<ArrayBuffer> } = {},
) {
  const { origin, publicKey, rotations } = served;
  const note = await served.checkpoint();
  const shown = { origin, key: publicKey, note, witnesses: [], rotations, ...change };
  const read = async (path: string) => served.files.get(path) ?? null;
  return checkServedHeads(primitives, { origin: "log.example/1", key: agreedKey }, { shown, read }, heads);
}

test("[A110] a log that goes on from what every device signed holds, from its first entry on", async () => {
  const log = await logOf(0);
  const heads = [await headOf(log, 0)];
  for (let index = 1; index < 4; index++) {
    await log.addBytes(...Array.from({ length: 150 }, () => leaf("run.pauseAsked")));
    heads.push(await headOf(log, index));
  }
  expect(await check(log, heads)).toEqual({
    ok: true,
    value: "4 inputs state what the device saw of the log; the log of 450 entries goes on from each.",
  });
});

test("[A110] a head under another root is named as two logs, with the device and both roots", async () => {
  const served = await logOf(300);
  const other = await logOf(290, "run.resumeAsked");
  const honest = await headOf(await logOf(290), 0);
  const planted = await headOf(other, 4, 2);
  const checked = await check(served, [honest, planted]);
  expect(checked).toEqual({
    ok: false,
    error: {
      code: "SPLIT_VIEW",
      sentence: expect.stringContaining("The device at position 5 of group 2 signed"),
    },
  });
  const sentence = checked.ok ? "" : checked.error.sentence;
  expect(sentence).toContain(planted.log.root);
  expect(sentence).toContain(honest.log.root);
  expect(sentence).toContain("Two logs were shown.");
});

test("[A110] a head beyond what is served is a rollback or another log", async () => {
  const checked = await check(await logOf(7), [await headOf(await logOf(8), 0)]);
  expect(checked.ok ? null : checked.error).toEqual({
    code: "SPLIT_VIEW",
    sentence: expect.stringContaining("saw 8 entries of the log; the one that is served has 7."),
  });
});

test("[A110] only the log that devices agreed to counts, under keys that follow from its first", async () => {
  const log = await logOf(5);
  const first = log.publicKey;
  const heads = [await headOf(log, 0)];
  const codeOf = async (...given: Parameters<typeof check>) => {
    const checked = await check(...given);
    return checked.ok ? null : checked.error.code;
  };
  expect(await codeOf(log, heads, { change: { origin: "other.example/1" } })).toBe("LOG");
  expect(await codeOf(log, heads, { agreedKey: localSigner(new Uint8Array(32).fill(3)).publicKey })).toBe(
    "LOG",
  );
  const next = localSigner(new Uint8Array(32).fill(9));
  const body = await rotationBody(log.signer, log.origin, next.publicKey);
  const at = await log.add("log.keyRotated", body);
  log.signWith(next, at);
  expect(await codeOf(log, heads, { agreedKey: first })).toBeNull();
  expect(await codeOf(log, heads, { agreedKey: first, change: { rotations: [] } })).toBe("LOG");
  const torn = log.fork();
  for (const path of [...torn.files.keys()]) torn.files.set(path, new Uint8Array(32));
  expect(await codeOf(torn, heads, { agreedKey: first })).toBe("LOG");
  expect(present(heads[0], "a head").log.size).toBe(5);
});
