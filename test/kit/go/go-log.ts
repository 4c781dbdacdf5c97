import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { bytesToBase64 } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import type { Checkpoint } from "#shared/tlog/checkpoint.ts";
import {
  formatNote,
  formatVerifierKey,
  type NoteSignature,
  parseNote,
  SIGNATURE_TYPES,
  type VerifierKey,
  verifierKey,
} from "#shared/tlog/note.ts";

/* A log's folder in the hands of Go's own libraries. */

/** Debian's golang-golang-x-mod-dev. */
const GO_PATH = "/usr/share/gocode";
export const hasGo =
  spawnSync("go", ["version"]).status === 0 &&
  existsSync(join(GO_PATH, "src/golang.org/x/mod/sumdb/tlog/tlog.go"));

interface GoChecked {
  /** Of the log; one bit of it is changed. */
  readonly folder: string;
  readonly key: VerifierKey;
  /** That the log must go on from. */
  readonly earlier: Checkpoint;
  /** Where the program is built. */
  readonly scratch: string;
}

/**
 * Go verifies signature, all entries and the growth since `earlier`, and refuses another past, another key and a changed
 * entry.
 *
 * @returns How many entries hold.
 */
export async function expectHeldByGo({ folder, key, earlier, scratch }: GoChecked): Promise<number> {
  const program = join(scratch, "verify-log");
  const built = go("build", "-o", program, new URL("./verify-log.go", import.meta.url).pathname);
  expect([built.status, built.stderr]).toEqual([0, ""]);
  const check = (earlierRoot: string, vkey = formatVerifierKey(key)) =>
    spawnSync(program, [folder, vkey, String(earlier.size), earlierRoot], { encoding: "utf8" });
  const rootText = bytesToBase64(earlier.root);
  const held = check(rootText);
  expect([held.status, held.stderr]).toEqual([0, ""]);
  const [, count] = /^(\d+) entries of \S+ hold\n$/.exec(held.stdout) ?? [];

  // It can fail: another past, another key, a changed entry.
  expect(check(bytesToBase64(earlier.root.map((byte) => byte ^ 1))).status).toBe(1);
  const other = await verifierKey(primitives, key.name, SIGNATURE_TYPES.ed25519, earlier.root);
  expect(check(rootText, formatVerifierKey(other)).status).toBe(1);
  const bundle = join(folder, "tile/entries/000");
  const bytes = readFileSync(bundle);
  writeFileSync(bundle, bytes.with(10, (bytes[10] ?? 0) ^ 1));
  expect(check(rootText).status).toBe(1);
  return Number(count);
}

/**
 * Go's note package opens a checkpoint that log and witness have signed, and refuses it with another time, another text,
 * another witness, or without the witness's line.
 *
 * @param note     With one line of each.
 * @param witness  Of type 4.
 */
export async function expectCosignedByGo(
  { note, log, witness }: { readonly note: string; readonly log: VerifierKey; readonly witness: VerifierKey },
  scratch: string,
): Promise<void> {
  const program = join(scratch, "verify-cosignature");
  const built = go("build", "-o", program, new URL("./verify-cosignature.go", import.meta.url).pathname);
  expect([built.status, built.stderr]).toEqual([0, ""]);
  const file = join(scratch, "cosigned");
  const check = (text: string, vkey = formatVerifierKey(witness)) => {
    writeFileSync(file, text);
    return spawnSync(program, [file, formatVerifierKey(log), vkey], { encoding: "utf8" });
  };
  const held = check(note);
  expect([held.status, held.stderr, held.stdout]).toEqual([
    0,
    "",
    `${log.name} and ${witness.name} have signed\n`,
  ]);

  const parsed = parseNote(note);
  if (!parsed.ok) throw new Error(parsed.error.sentence);
  const { text, signatures } = parsed.value;
  const isTheirs = ({ keyId }: NoteSignature) => keyId === witness.id;
  const changed = (at: number) =>
    signatures.map((line) =>
      isTheirs(line) ? { ...line, bytes: line.bytes.with(at, (line.bytes[at] ?? 0) ^ 1) } : line,
    );
  // The time is signed, too.
  for (const at of [7, 8, 71]) expect(check(formatNote({ text, signatures: changed(at) })).status).toBe(1);
  const alone = formatNote({ text, signatures: signatures.filter((line) => !isTheirs(line)) });
  expect(check(alone).status).toBe(1);
  const other = await verifierKey(primitives, witness.name, witness.type, log.publicKey);
  expect(check(note, formatVerifierKey(other)).status).toBe(1);
}

function go(...args: readonly string[]) {
  const env = {
    ...process.env,
    GO111MODULE: "off",
    GOPATH: GO_PATH,
    GOCACHE: join(tmpdir(), "chorus-go-cache"),
  };
  return spawnSync("go", args, { env, encoding: "utf8" });
}
