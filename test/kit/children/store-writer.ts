import { createHash, randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import type { StoreRecord } from "#coordinator/core/ports/ports.ts";
import { merkleRoot } from "#shared/crypto/merkle.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { positionNo } from "../places.ts";

/*
 * Writes like a coordinator until it is killed, and reports each write on stdout only after it was acknowledged: "event
 * N", "input POSITION SHA256", "material POSITION". Arguments: the state folder, a run id of its own.
 */

const [dataDir = "", runId = ""] = process.argv.slice(2);
const acknowledge = (line: string) => writeSync(1, `${line}\n`);
const store = await openStore({ dataDir });
const spool = await openSpool(join(dataDir, "spool"), primitives, openIntake());
const sid = `${runId}${runId}`;
const slots = Array.from({ length: 250 }, (_, index) => ({
  position: positionNo(index + 1),
  slotHash: "0".repeat(64),
}));

let sequence = 0;
async function append(records: readonly StoreRecord[]): Promise<void> {
  sequence += 1;
  const appended = await store.append({ kind: "run", id: runId }, [
    { event: { sequence, at: sequence, event: { sequence } }, records },
  ]);
  if (!appended.ok) throw new Error(appended.error.type);
  acknowledge(`event ${sequence}`);
}

await append([{ type: "open-slots", sid, byteCount: 100_000, slots }]);
const leaf = () => ({ type: "audit-leaf", kind: `leaf.${runId}`, body: { sequence: sequence + 1 } }) as const;
for (const { position } of slots) {
  const bytes = new Uint8Array(randomBytes(100_000));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const root = bytesToHex(await merkleRoot(primitives, [bytes.subarray(0, 65_536), bytes.subarray(65_536)]));
  const upload = { sid, position, byteCount: bytes.length, sha256, root };
  const received = await spool.receive({ ...upload, offset: 0 }, pieces(bytes));
  if (!received.ok || received.value !== "complete") throw new Error("the upload failed");
  const input = { ...upload, signature: "0".repeat(128) };
  await append([leaf(), { type: "input", input }]);
  acknowledge(`input ${position} ${sha256}`);
  const sent = bytes.subarray(0, 3_000);
  await append([leaf(), { type: "material", sid, step: "share", position, bytes: sent }]);
  acknowledge(`material ${position}`);
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 16_384) yield bytes.subarray(offset, offset + 16_384);
}
