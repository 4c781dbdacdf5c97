import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type JournalCells, openJournalCells } from "#client/adapters/journal-cells.ts";
import { MapCells } from "#client/adapters/map-cells.ts";
import { openRecordFolder } from "#client/adapters/record-folder.ts";
import { openStateFolder } from "#client/adapters/state-folder.ts";
import type { CellChange } from "#client/core/memory.ts";
import type { KeptContribution } from "#client/core/ports.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { CELLS_CASES, type CellsUnderTest } from "../../../kit/cells-contract.ts";

const root = mkdtempSync(join(tmpdir(), "chorus-memory-"));
const journals: JournalCells[] = [];
/** Nothing is closed before the end: a later life finds what a killed one left. */
async function openJournal(): Promise<CellsUnderTest> {
  const folder = freshFolder();
  const reopen = async () => {
    const journal = await openJournalCells(folder);
    journals.push(journal);
    return journal;
  };
  return { cells: await reopen(), reopen };
}
afterAll(async () => {
  for (const journal of journals) await journal.close();
  rmSync(root, { recursive: true });
});
let nextFolder = 0;
const freshFolder = () => mkdtempSync(join(root, `${nextFolder++}-`));

describe.each<[string, boolean, () => Promise<CellsUnderTest>]>([
  ["in memory", false, async () => ({ cells: new MapCells(), reopen: async () => new MapCells() })],
  ["in a journal", true, openJournal],
])("what a device remembers, %s", (_, isDurable, open) => {
  test.each(CELLS_CASES.filter(({ durable }) => isDurable || !durable))("[S10] $name", async ({ run }) => {
    await run(await open());
  });
});

test("[S10] the cases detect a store that compares nothing and one that forgets (positive control)", async () => {
  class Careless extends MapCells {
    override async swap(changes: readonly CellChange[]) {
      this.adopt(changes);
      return true;
    }
  }
  const failed = async (make: () => CellsUnderTest) => {
    const names: string[] = [];
    for (const { name, run } of CELLS_CASES) await run(make()).catch(() => names.push(name));
    return names;
  };
  const forgetful = () => ({ cells: new MapCells(), reopen: async () => new MapCells() });
  expect(await failed(forgetful)).toEqual(
    CELLS_CASES.filter(({ durable }) => durable).map(({ name }) => name),
  );
  const careless = await failed(() => {
    const cells = new Careless();
    return { cells, reopen: async () => cells };
  });
  expect(careless).toEqual([
    "an empty cell is null, and a swap from null fills it once",
    "changes go together or not at all",
    "of many that race for one cell, one gets it",
    "what was acknowledged is there in the next life, and compares there",
  ]);
});

describe("the journal", () => {
  test("[S10] survives a kill: acknowledged lines are there, a torn line is not", async () => {
    const folder = freshFolder();
    const first = await openJournalCells(folder);
    await first.swap([{ key: "a", before: null, after: "1" }]);
    await first.swap([
      { key: "a", before: "1", after: "2" },
      { key: "b", before: null, after: "é" },
    ]);
    // No close: the process is gone. And a write that never completed:
    appendFileSync(join(folder, "memory.jsonl"), '[{"key":"a","after":"3"}');
    const second = await openJournalCells(folder);
    expect(await second.get("a")).toBe("2");
    expect(await second.get("b")).toBe("é");
    await second.swap([{ key: "c", before: null, after: "4" }]);
    await second.close();
    const third = await openJournalCells(folder);
    expect([await third.get("a"), await third.get("c")]).toEqual(["2", "4"]);
    await third.close();
  });

  test("[S10] a write that a full disk cuts short is not acknowledged and spoils nothing", async () => {
    const folder = freshFolder();
    const journal = await openJournalCells(folder);
    await journal.swap([{ key: "a", before: null, after: "1" }]);
    const probe = await open(join(folder, "memory.jsonl"));
    const handles = Object.getPrototypeOf(probe) as FileHandle;
    const failing = vi.spyOn(handles, "appendFile").mockImplementationOnce(async () => {
      appendFileSync(join(folder, "memory.jsonl"), '[{"key":"a","af');
      throw new Error("ENOSPC");
    });
    await probe.close();
    await expect(journal.swap([{ key: "a", before: "1", after: "2" }])).rejects.toThrow("ENOSPC");
    expect(failing).toHaveBeenCalledOnce();
    failing.mockRestore();
    expect(await journal.get("a")).toBe("1");
    expect(await journal.swap([{ key: "a", before: "1", after: "3" }])).toBe(true);
    await journal.close();
    const again = await openJournalCells(folder);
    expect(await again.get("a")).toBe("3");
    await again.close();
  });

  test("is refused if damaged before its end: something that a device must not forget is missing", async () => {
    const folder = freshFolder();
    appendFileSync(join(folder, "memory.jsonl"), 'garbage\n[{"key":"a","after":"1"}]\n');
    await expect(openJournalCells(folder)).rejects.toThrow();
  });
});

describe("an edge's state folder", () => {
  const AUTHORITY = {
    projectId: "default",
    codeVersion: "1",
    issuerKey: "1".repeat(64),
    logKey: "0".repeat(64),
  };
  const random = (byteCount: number): Bytes => globalThis.crypto.getRandomValues(new Uint8Array(byteCount));

  /** Starts in a new folder, with what the coordinator states then. */
  const starting = () => {
    const folder = freshFolder();
    return async (change: object) => {
      const opened = await openStateFolder(folder, random, { ...AUTHORITY, ...change });
      if (!opened.ok) return opened.error;
      opened.value.release();
      return opened.value.notice ?? "taken";
    };
  };

  test("keeps one identity in a file that only its owner reads", async () => {
    const folder = freshFolder();
    const first = await openStateFolder(folder, random, AUTHORITY);
    if (!first.ok) throw new Error(first.error);
    expect(statSync(join(folder, "identity.key")).mode & 0o777).toBe(0o600);
    first.value.release();
    const second = await openStateFolder(folder, random, AUTHORITY);
    if (!second.ok) throw new Error(second.error);
    expect(second.value.signer.publicKey).toEqual(first.value.signer.publicKey);
    second.value.release();
  });

  test("[S6] holds the coordinator to its keys at the first start; its code may be newer", async () => {
    const start = starting();
    expect([await start({}), await start({ codeVersion: "2" })]).toEqual(["taken", "taken"]);
    for (const other of [{ issuerKey: "2".repeat(64) }, { projectId: "other" }])
      expect(await start(other)).toMatch(/keys are not the ones that .* with --state/);
    // A refusal does not keep the folder locked either.
    expect(await start({})).toBe("taken");
  });

  test("[A45] adopts a coordinator's first public log once, says so, and takes no other log or none afterwards", async () => {
    const start = starting();
    const log = { logKey: "3".repeat(64), logOrigin: "log.example/1" };
    expect(await start({})).toBe("taken");
    expect(await start(log)).toMatch(/keeps a public log now, log\.example\/1\..*key 3{64}/);
    expect(await start(log)).toBe("taken");
    const others = [{}, { ...log, logKey: "4".repeat(64) }, { ...log, logOrigin: "log.example/2" }];
    for (const other of others) expect(await start(other)).toMatch(/keys are not the ones that/);
    // Whoever could certify made-up devices may not come in with the log.
    const fresh = starting();
    await fresh({});
    expect(await fresh({ ...log, issuerKey: "2".repeat(64) })).toMatch(/keys are not the ones that/);
  });

  test("[S10] has one holder at a time; a process id left by an earlier version means nothing", async () => {
    const folder = freshFolder();
    // The parent process is alive but does not use this folder.
    appendFileSync(join(folder, "lock"), String(process.ppid));
    const first = await openStateFolder(folder, random, AUTHORITY);
    if (!first.ok) throw new Error(first.error);
    expect(existsSync(join(folder, "lock"))).toBe(false);
    const refused = await openStateFolder(folder, random, AUTHORITY);
    expect(refused.ok ? "" : refused.error).toMatch(
      new RegExp(`Another process \\(process ${process.pid} on .*\\) uses .* with --state`),
    );
    first.value.release();
    const second = await openStateFolder(folder, random, AUTHORITY);
    if (!second.ok) throw new Error(second.error);
    second.value.release();
  });

  test.each([
    ["identity.key", "no key"],
    ["authority.json", '{"projectId":'],
    ["authority.json", "{}"],
  ])("a damaged %s is a sentence, and the folder is free again", async (name, content) => {
    const folder = freshFolder();
    const first = await openStateFolder(folder, random, AUTHORITY);
    if (!first.ok) throw new Error(first.error);
    first.value.release();
    writeFileSync(join(folder, name), content);
    const refused = await openStateFolder(folder, random, AUTHORITY);
    expect(refused.ok ? "" : refused.error).toMatch(new RegExp(`${name} is damaged.* with --state`));
    rmSync(join(folder, name));
    expect((await openStateFolder(folder, random, AUTHORITY)).ok).toBe(true);
  });

  test("a folder that is a file gives a sentence", async () => {
    const path = join(freshFolder(), "file");
    writeFileSync(path, "");
    const refused = await openStateFolder(path, random, AUTHORITY);
    expect(refused.ok ? "" : refused.error).toMatch(/cannot be used .* with --state/);
  });
});

describe("an edge's record folder", () => {
  test("[S11] keeps what was sent, but no share that opens a sum", async () => {
    const folder = freshFolder();
    const named = (name: string) => ({ name, bytes: new Uint8Array(3) });
    const contribution = {
      detail: { id: "run-1-1", sample: null, histograms: null },
      sent: ["advertise.frame", "share.frame", "masked-list.u32", "unmask.frame"].map(named),
      own: new Uint8Array(4),
      clippedUpdate: null,
      weight: 1,
    };
    await openRecordFolder(folder).save(contribution as unknown as KeptContribution);
    expect(readdirSync(join(folder, "run-1-1")).sort()).toEqual([
      "advertise.frame",
      "contribution.json",
      "masked-list.u32",
      "own-list.i32",
      "share.frame",
    ]);
  });
});
