import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { isErrorCode } from "../../system-errors.ts";

/*
 * Two processes that open one folder destroy it, and PGlite does not keep them apart. The lock file names the process
 * that has the folder, with its start time, since process ids are used again.
 *
 * Does not protect a folder that two machines or containers share: they do not see each other's processes.
 */

const ownerSchema = z.object({ pid: z.int().min(1), startedAt: z.string(), token: z.string() });
type Owner = z.infer<typeof ownerSchema>;

/**
 * Takes the lock at `path`; one that a dead process left behind is taken over.
 *
 * @returns Gives the lock back.
 * @throws Error with what to do, where a living process has it.
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  const own: Owner = { pid: process.pid, startedAt: startOf(process.pid) ?? "unknown", token: randomUUID() };
  const draft = `${path}.${own.token}`;
  // Linked or renamed into place complete: nobody ever reads half a lock.
  await writeFile(draft, JSON.stringify(own));
  try {
    while (!(await create(draft, path))) {
      const owner = await readOwner(path);
      if (owner === "gone") continue;
      if (owner !== "unreadable" && isAlive(owner)) throw new Error(inUse(path, owner));
      if (await takeOver(path, draft, owner === "unreadable" ? owner : owner.token)) break;
    }
  } finally {
    await rm(draft, { force: true });
  }
  return async () => {
    const owner = await readOwner(path);
    if (typeof owner === "object" && owner.token === own.token) await rm(path, { force: true });
  };
}

function inUse(path: string, owner: Owner): string {
  const who = owner.pid === process.pid ? "this process itself" : `process ${owner.pid}`;
  return `The database beside ${path} is in use by ${who}. Stop it first (kill ${owner.pid}), or start this one with another --data folder. Several processes need PostgreSQL: set DATABASE_URL.`;
}

async function create(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (isErrorCode(error, "EEXIST")) return false;
    throw error;
  }
}

/**
 * Replaces a dead process's lock. The claim is named after the lock that it replaces, so of several takers one gets it,
 * and a late one that still has the old lock in mind finds another in its place.
 */
async function takeOver(path: string, draft: string, token: string): Promise<boolean> {
  const claim = `${path}.takeover-${token}`;
  if (!(await create(draft, claim))) {
    const claimant = await readOwner(claim);
    if (typeof claimant === "object" && isAlive(claimant)) throw new Error(inUse(path, claimant));
    await rm(claim, { force: true });
    return false;
  }
  try {
    const owner = await readOwner(path);
    const unchanged = typeof owner === "object" ? owner.token === token : owner === token;
    if (!unchanged) return false;
    await rename(draft, path);
    return true;
  } finally {
    await rm(claim, { force: true });
  }
}

async function readOwner(path: string): Promise<Owner | "gone" | "unreadable"> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isErrorCode(error, "ENOENT")) return "gone";
    throw error;
  }
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return "unreadable";
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    if (isErrorCode(error, "ESRCH")) return false;
  }
  const startedAt = startOf(owner.pid);
  return startedAt === null || startedAt === owner.startedAt;
}

/** When a process started, as an opaque text that no other process of this machine shares; null where unknown. */
function startOf(pid: number): string | null {
  try {
    if (process.platform === "linux") {
      // Field 22, counted behind the command's name in parentheses, which may hold anything. Source: proc(5).
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z") return "ended, not yet reaped";
      return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${fields[19]}`;
    }
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return null;
  }
}
