import { auditBundle, type Bundle } from "#shared/audit/bundle.ts";
import type { Statement } from "#shared/audit/statement.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { sha256Digest } from "../../adapters/sha256-digest.ts";

/**
 * Makes the audit of an exported round again and prints what can be said of it.
 *
 * @param pinned  The log's key, if it is known from elsewhere; null to take the file's word.
 * @returns The exit code: 0 if nothing contradicts, 1 if a statement is contradicted, 2 if the file is no whole bundle.
 */
export async function verifyBundle(bundle: Bundle, pinned: Bytes | null): Promise<number> {
  const audited = await auditBundle(primitives, sha256Digest, bundle, pinned);
  if (!audited.ok) {
    console.error(`The file has no valid ${audited.error.place}. Export the round again.`);
    return 2;
  }
  const { statements, evidence, look } = audited.value;
  const { record } = evidence;
  console.log(`Round ${record.round} of run ${record.runNumber} of ${record.task}, as of ${bundle.at}.`);
  console.log(
    `Log ${bundle.log.origin}, ${look.sight.size} entries, key ${bundle.log.key} (${howKnown(bundle, pinned)}).`,
  );
  for (const statement of statements) console.log(lineOf(statement));
  const wrong = statements.filter(({ verdict }) => verdict === "contradicted");
  for (const { says, because } of wrong) console.error(`WRONG: ${says} ${because}`);
  if (wrong.length === 0) console.log("Nothing contradicts what the file says.");
  return wrong.length === 0 ? 0 : 1;
}

function howKnown({ log }: Bundle, pinned: Bytes | null): string {
  if (pinned === null) return "as the file says; pin it with --key";
  return bytesToHex(pinned) === log.key
    ? "as pinned"
    : `must follow from ${bytesToHex(pinned)}, which is pinned`;
}

const SAID: Readonly<Record<Statement["verdict"], string>> = {
  checked: "checked      ",
  waiting: "waiting      ",
  uncheckable: "no one can   ",
  contradicted: "CONTRADICTED ",
};

function lineOf({ verdict, says, because }: Statement): string {
  return `${SAID[verdict]}${says} ${because}`;
}
