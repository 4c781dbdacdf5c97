import { expect, test } from "vitest";
import { DiskLow } from "#coordinator/core/ports/outage.ts";
import { Artifacts } from "#coordinator/core/tracking/artifacts.ts";
import { memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryBlobs, memoryDisk } from "#test/kit/fakes/memory-files.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";

const NOTHING_OWN = { list: async () => null, open: async () => null, isOwn: async () => false };
const bytes = (text: string) => new TextEncoder().encode(text);

function world(hasRoom = () => true) {
  const disk = memoryDisk();
  const database = memoryDatabase();
  const ports = {
    ...{ store: memoryStore(database), blobs: memoryBlobs(disk) },
    disk: { hasRoom: async () => hasRoom() },
  };
  return { artifacts: new Artifacts(ports, NOTHING_OWN), disk, database };
}

async function* body(...pieces: readonly Uint8Array[]) {
  yield* pieces;
}

test("[L4] a blob stays while a file of any project has it, however uploads and deletions meet", async () => {
  const { artifacts, disk } = world();
  await artifacts.put("one", "a", body(bytes("same")), 4);
  for (let time = 0; time < 20; time++) {
    const [put, removed] = await Promise.all([
      artifacts.put("two", "b", body(bytes("same")), 4),
      artifacts.remove("one", "a"),
    ]);
    expect([put.ok, removed.ok]).toEqual([true, true]);
    const file = await artifacts.open("two", "b");
    expect(file.ok).toBe(true);
    await artifacts.put("one", "a", body(bytes("same")), 4);
    await artifacts.remove("two", "b");
    expect(disk.blobs.size).toBe(1);
  }
  await artifacts.remove("one", "a");
  expect(disk.blobs.size).toBe(0);
});

test("[L4] a blob that is a report of an evaluation is not deleted", async () => {
  const { artifacts, disk, database } = world();
  await artifacts.put("one", "a", body(bytes("report")), 6);
  const [hash] = disk.blobs.keys();
  const text = JSON.stringify({ fact: { type: "evaluated", reportHash: hash } });
  database.log.push({ stream: { kind: "run", id: "r" }, sequence: 1, at: 1, body: text });
  await artifacts.remove("one", "a");
  expect([...disk.blobs.keys()]).toEqual([hash]);
});

test("[L4] a path is a file or a folder, also if both come at once", async () => {
  for (let time = 0; time < 20; time++) {
    const { artifacts, disk } = world();
    const answers = await Promise.all([
      artifacts.put("one", "a", body(bytes("file")), 4),
      artifacts.put("one", "a/b", body(bytes("deeper")), 6),
    ]);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(disk.blobs.size).toBe(1);
  }
});

test("[L4] a file of unknown size ends when the disk has no more room", async () => {
  let asked = 0;
  const { artifacts, disk } = world(() => ++asked < 3);
  const piece = new Uint8Array(2 ** 23);
  const put = artifacts.put("one", "a", body(...Array.from({ length: 8 }, () => piece)), null);
  await expect(put).rejects.toThrow(DiskLow);
  expect(disk.blobs.size).toBe(0);
});
