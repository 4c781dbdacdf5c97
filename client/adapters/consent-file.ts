import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { syncFolder } from "#shared/node/durable-files.ts";
import type { ConsentEntry } from "#shared/task/consent-ledger.ts";

/*
 * `consents.jsonl` (0600) in an edge's state folder: the consent ledger, one act a line, oldest first. A line that a crash
 * cut short is not an act. Only the holder of the folder's lock adds agreements. Rule A70.
 */

const text = z.string();
const entrySchema = z.strictObject({
  act: z.enum(["agreed", "withdrawn"]),
  at: z.iso.datetime(),
  coordinator: text,
  taskHash: text,
  /** Whole, whatever fields the version had. */
  task: z.looseObject({ slug: text, version: z.int(), title: text.optional(), invitation: text }),
  authority: z.looseObject({ projectId: text, codeVersion: text, issuerKey: text, logKey: text }),
  words: text.nullable(),
});

/**
 * The ledger of a folder; empty if it has none.
 * @throws Error that names the line if one before the last is damaged.
 */
export async function readConsents(folder: string): Promise<readonly ConsentEntry[]> {
  const path = join(folder, "consents.jsonl");
  const written = await readFile(path, "utf8").catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === "ENOENT") return "";
    throw fault;
  });
  const whole = written.slice(0, written.lastIndexOf("\n") + 1);
  return whole.split("\n").flatMap((line, index) => {
    if (line === "") return [];
    const entry = entrySchema.safeParse(jsonOrNull(line));
    if (!entry.success) throw new Error(`line ${index + 1} of ${path} is damaged; restore it from a backup`);
    return [entry.data];
  });
}

/** Adds the agreement, unless the newest act agreed to the same. @returns True if it was added. */
export async function keepAgreement(folder: string, entry: ConsentEntry): Promise<boolean> {
  const newest = (await readConsents(folder)).at(-1);
  if (newest?.act === "agreed" && isSame(newest, entry)) return false;
  await append(folder, entry);
  return true;
}

/** Ends the agreement that is in force. @returns False if there is none. */
export async function keepWithdrawal(folder: string, at: string): Promise<boolean> {
  const newest = (await readConsents(folder)).at(-1);
  if (newest?.act !== "agreed") return false;
  await append(folder, { ...newest, act: "withdrawn", at, words: null });
  return true;
}

/** The same version, of the same coordinator with the same keys. Its code may change, as an edge lets it. */
function isSame(left: ConsentEntry, right: ConsentEntry): boolean {
  const of = ({ coordinator, taskHash, authority: { codeVersion: _codeVersion, ...keys } }: ConsentEntry) =>
    canonicalJson([coordinator, taskHash, keys]);
  return of(left) === of(right);
}

async function append(folder: string, entry: ConsentEntry): Promise<void> {
  const file = await open(join(folder, "consents.jsonl"), "a+", 0o600);
  try {
    const written = await file.readFile("utf8");
    const whole = written.slice(0, written.lastIndexOf("\n") + 1);
    if (whole.length < written.length) await file.truncate(Buffer.byteLength(whole));
    await file.appendFile(`${JSON.stringify(entry)}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
  await syncFolder(folder);
}

function jsonOrNull(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
