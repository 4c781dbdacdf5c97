import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { restoreBackup } from "#coordinator/commands/restore/restore-backup.ts";
import { type FolderLock, lockFolder } from "#shared/node/lock.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";

/* Backups and restores where something around them is in the way: links, and a coordinator that starts meanwhile. */

let scratch: string;
let backup: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-surroundings-"));
  backup = join(scratch, "backup");
  await (await openStore({ dataDir: join(scratch, "source") })).close();
  expect((await backUp(join(scratch, "source"), backup)).code).toBe(0);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const backUp = (dataDir: string, to: string) => runCommand("backup", ["--data", dataDir, "--to", to]);

test("[O1] a backup with a link to nothing is refused, because what it led to would be missing", async () => {
  const dataDir = join(scratch, "linked");
  await (await openStore({ dataDir })).close();
  await symlink(join(scratch, "not-mounted"), join(dataDir, "heldout"));
  const to = join(scratch, "linked-backup");
  const refused = await backUp(dataDir, to);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/heldout is a link to \S+not-mounted, which is not there/);
  expect((await readdir(scratch)).filter((name) => name.startsWith("linked-backup"))).toEqual([]);
  await mkdir(join(scratch, "not-mounted"));
  expect((await backUp(dataDir, to)).code).toBe(0);
});

test("[O2] a restore through a link replaces the folder that it leads to", async () => {
  const disk = join(scratch, "disk");
  await mkdir(disk);
  const state = join(disk, "state");
  await (await openStore({ dataDir: state })).close();
  await rm(state, { recursive: true });
  await mkdir(state);
  await writeFile(join(state, "old"), "old");
  const link = join(scratch, "link");
  await symlink(state, link);
  const restored = await runCommand("restore", ["--from", backup, "--data", link, "--replace"]);
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining(`${state}.replaced-`) });
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(await readdir(state)).toContain("issuer.key");
});

test("[O2] an empty --data or --from, a shell's unset variable, never means the current folder", async () => {
  for (const flags of [
    ["--from", backup, "--data", ""],
    ["--from", "", "--data", join(scratch, "empty-from")],
  ])
    expect((await runCommand("restore", [...flags, "--replace", "--older"])).code).toBe(2);
});

/** Restores into `dataDir`, and lets something happen there once the files are being copied. */
function restoreWhile(dataDir: string, replace: boolean, happen: () => void) {
  const report = (line: string) => {
    if (line.startsWith("Copying")) happen();
  };
  const request = {
    from: backup,
    dataDir,
    databaseUrl: undefined,
    replace,
    older: replace,
    newestLog: true,
    nowUnixMs: 0,
  };
  return restoreBackup({ ...request, report }, `${dataDir}.partial`);
}

test("[O2] a folder that was free is not moved aside if something is put into it during the restore", async () => {
  const into = join(scratch, "was-free");
  const restoring = restoreWhile(into, false, () => {
    mkdirSync(into);
    writeFileSync(join(into, "new"), "new");
  });
  await expect(restoring).rejects.toThrow(/put into .*was-free during the restore/);
  expect(await readFile(join(into, "new"), "utf8")).toBe("new");
  expect((await readdir(scratch)).filter((name) => name.includes("replaced-1970"))).toEqual([]);
});

test("[O2] a folder that no coordinator used is kept if one takes it during the restore", async () => {
  const into = join(scratch, "was-unlocked");
  await mkdir(into);
  await writeFile(join(into, "note"), "mine");
  const held: FolderLock[] = [];
  const restoring = restoreWhile(into, true, () => {
    const lock = lockFolder(into);
    if (lock.ok) held.push(lock.value);
  });
  await expect(restoring).rejects.toThrow(/A coordinator has the data folder/);
  expect(await readFile(join(into, "note"), "utf8")).toBe("mine");
  expect(held).toHaveLength(1);
  for (const lock of held) lock.release();
});
