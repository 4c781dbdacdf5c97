import { createHash, randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import { primitives } from "#coordinator/adapters/system.ts";
import { merkleRoot } from "#shared/crypto/merkle.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";

/*
 * Writes as a coordinator does until it is killed, and says so on stdout only after each write was acknowledged:
 * "event N", "input POSITION SHA256", "material POSITION". Arguments: the state folder, a run id that is its own.
 */

const [dataDir = "", runId = ""] = process.argv.slice(2);
const acknowledge = (line: string) => writeSync(1, `${line}\n`);
const store = await openStore({ dataDir });
const spool = await openSpool(join(dataDir, "spool"), primitives, openIntake());
const sid = `${runId}${runId}`;
const slots = Array.from({ length: 250 }, (_, index) => ({ position: index + 1, slotHash: "0".repeat(64) }));

let sequence = 0;
async function append(records: Parameters<typeof store.append>[2]): Promise<void> {
  sequence += 1;
  const appended = await store.append(
    { kind: "run", id: runId },
    { sequence, at: sequence, event: { sequence } },
    records,
  );
  if (!appended.ok) throw new Error(appended.error.type);
  acknowledge(`event ${sequence}`);
}

await append([{ type: "open-slots", sid, byteCount: 100_000, slots }]);
for (const { position } of slots) {
  await append([{ type: "audit-leaf", kind: `leaf.${runId}`, body: { sequence: sequence + 1 } }]);
  const bytes = new Uint8Array(randomBytes(100_000));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const root = bytesToHex(await merkleRoot(primitives, [bytes.subarray(0, 65_536), bytes.subarray(65_536)]));
  const upload = { sid, position, byteCount: bytes.length, sha256, root };
  const received = await spool.receive({ ...upload, offset: 0 }, pieces(bytes));
  if (!received.ok || received.value !== "complete") throw new Error("the upload failed");
  const accepted = await store.acceptInput({ ...upload, signature: "0".repeat(128) });
  if (!accepted.ok) throw new Error(accepted.error.type);
  acknowledge(`input ${position} ${sha256}`);
  await store.saveMaterial(sid, "share", position, bytes.subarray(0, 3_000));
  acknowledge(`material ${position}`);
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 16_384) yield bytes.subarray(offset, offset + 16_384);
}
