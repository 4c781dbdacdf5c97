import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type BundledTask, bundledTask } from "#coordinator/data/tasks.ts";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import { taskSchema } from "#shared/task/task.ts";
import { layoutData } from "#shared/vector/layout.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";

/**
 * Hashes of the bundled tasks for eight devices and of the layouts of their vectors, as commit 4a7ed13a computed them, before
 * there were other kinds of tasks. Devices agreed to these.
 */
const AGREED: readonly (readonly [BundledTask, 16 | 32, taskHash: string, layoutSha256: string])[] = [
  [
    "digits",
    32,
    "0423952607ae0f429fc7209f5c2c3002c050a2ff16057f7cf0444af16da525f8",
    "aaa1874ca20d5572f7a5b2a0d8013638e14b70dc5cf6c5a6efe2f697c57a0b70",
  ],
  [
    "digits",
    16,
    "f1d62b0f49b61f69488a44ff0acad7ec9994a043cb6eaff71191e39d9ce8ab92",
    "489fde5f5e3a9f01588ee539f7a7a90468bf7621cea2beaae65fceaf499af68b",
  ],
  [
    "hmda",
    32,
    "bac754c19a13744f3ff59de6eb969289d494f54d66a831fac4019c8f0123ed81",
    "89725eff7fe1e01bd4b8f3cf0e09ea66672521161b621a24a07a758b00d9941d",
  ],
  [
    "hmda",
    16,
    "4f63f273448c26e723e7365f166df9ee48c06af9a8e5e53d134265852aa17d08",
    "d977cfe3c714b4d2302d6c47d25b7da4ef6be78e5908086d4fe8494cbae06b57",
  ],
  [
    "fashion-mnist",
    32,
    "45e9ed361a2df8c7ac3f7e338654d41f3d2a29759d46947206778ce35a07ae8e",
    "d446f22d2e6be274d0677a6ec79585a90b69614a2dc485c6749244adad699613",
  ],
  [
    "fashion-mnist",
    16,
    "11a757f140699505db286343d4d98463e5898dfeec89c71dd3eb0f4e5417f263",
    "f8ef9d06b0a5959b39228b33c1ab85d8cdb83f948c97a42db0df6dbd25a92bd2",
  ],
];

test.each(AGREED)(
  "[E41] %s on %d bits keeps the hash that devices agreed to",
  async (name, ring, hash, layout) => {
    const task = bundledTask(name, 8, 1, ring);
    expect(await taskHashOf(primitives, task)).toBe(hash);
    const text = canonicalJson(layoutData(layoutOf(task, "train", null)));
    expect(bytesToHex(await primitives.sha256(new TextEncoder().encode(text)))).toBe(layout);
  },
);

test("[E41] a task that an earlier version stored is read as it was, under its hash", async () => {
  const path = "test/integration/coordinator/adapters/database/data/run-402e092.sql";
  const row = /insert into task values \('default', 'small', 1, '([0-9a-f]{64})', '(\{.*?\})', /.exec(
    readFileSync(path, "utf8"),
  );
  const stored: unknown = JSON.parse(row?.[2] ?? "");
  const task = taskSchema.parse(stored);
  expect(task).toEqual(stored);
  expect(await taskHashOf(primitives, task)).toBe(row?.[1]);
});
