import { parseArgs } from "node:util";
import { lookAtLog } from "#shared/audit/look.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { siteAddressFault } from "#shared/protocol/site-address.ts";
import { checkShell, loggedShell, type ShellFault, type ShellReader } from "#shared/shell/check-shell.ts";
import { SHELL_INDEX } from "#shared/shell/manifest.ts";
import { tooFewWitnesses } from "#shared/tlog/quorum.ts";
import { fetched, servedLog } from "../../adapters/served-log.ts";
import {
  givenQuorum,
  QUORUM_FLAGS,
  QUORUM_HELP,
  type QuorumFlags,
  quorumFlags,
  tooFewSentence,
} from "../quorum-options.ts";

export const SHELL_HELP = `npm run verify -- shell URL [options]

Fetches a participant's page with all of its files, checks each against the list that is served beside them, and holds the
list's hash against the newest entry of the coordinator's log that says which page is served.

  URL               the page's address, such as https://chorus.example.org/join/digits
  --coordinator URL whose log; default: the page's own host
  --hash HEX        require this hash, 64 hex digits, in place of what the log says
  --log-key HEX     require the log to be signed by this key, 64 hex digits, or by one that its entries hand over to from
                    this; default: the one that the coordinator names
${QUORUM_HELP}
  --help

Exit code 0: the page is the one that was logged. 1: it is not. 2: it could not be checked.`;

const HEX = /^[0-9a-f]{64}$/;

/** A sentence for the person, and what the process ends with. */
interface Verdict {
  readonly code: 0 | 1 | 2;
  readonly sentence: string;
}

/** @param args  After the word `shell`. @returns The exit code. */
export async function verifyShell(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === "help") {
    console.log(SHELL_HELP);
    return 0;
  }
  const { code, sentence } =
    typeof options === "string" ? { code: 2 as const, sentence: options } : await verdictOn(options);
  (code === 0 ? console.log : console.error)(sentence);
  return code;
}

async function verdictOn(options: ShellOptions): Promise<Verdict> {
  const { page, hash } = options;
  try {
    const checked = await checkShell(primitives, readerOf(page));
    if (!checked.ok) return { code: 1, sentence: `WRONG: ${faultSentence(checked.error)}` };
    const { fileCount, byteCount, hash: served } = checked.value;
    console.log(
      `${fileCount} files, ${byteCount} bytes, each as the list says. The list's hash is ${served}.`,
    );
    return hash === undefined ? await heldAgainstLog(options, served) : pinned(served, hash);
  } catch (error) {
    return { code: 2, sentence: error instanceof Error ? error.message : String(error) };
  }
}

function pinned(served: string, hash: string): Verdict {
  if (served === hash) return { code: 0, sentence: "It is the page that --hash names." };
  return { code: 1, sentence: `WRONG: --hash names another page, ${hash}.` };
}

async function heldAgainstLog(
  { coordinator, logKey, quorum: demanded }: ShellOptions,
  ownHash: string,
): Promise<Verdict> {
  const quorum = await givenQuorum(demanded);
  if (!quorum.ok) return { code: 2, sentence: quorum.error };
  const served = await servedLog(coordinator, logKey === undefined ? undefined : hexToBytes(logKey));
  if (served === null)
    return { code: 2, sentence: `${coordinator.origin} shows no log. Give the page's hash with --hash.` };
  const shown = { ...served.shown, witnesses: quorum.value.witnesses };
  const { log, sight } = await lookAtLog(primitives, shown, served.read, null);
  if (log === null)
    return { code: 1, sentence: `WRONG: ${sight.contradiction ?? "the log cannot be read."}` };
  const { cosigned } = log.opened;
  const tooFew = tooFewWitnesses(quorum.value, cosigned);
  if (tooFew !== null) return { code: 1, sentence: `WRONG: ${tooFewSentence(tooFew)}` };
  const found = await loggedShell(log.tree);
  if (!found.ok)
    return { code: 1, sentence: `WRONG: the log's ${found.error.path} is not what its root says.` };
  if (found.value === null)
    return { code: 1, sentence: "WRONG: no entry of the log says which page is served." };
  const { hash, index, at } = found.value;
  const since = at === null ? "" : ` since ${new Date(at).toISOString()}`;
  if (hash !== ownHash)
    return {
      code: 1,
      sentence: `WRONG: entry ${index} of the log says that another page is served${since}: ${hash}.`,
    };
  const names = cosigned.map(({ key: { name } }) => name);
  const signers = names.length === 0 ? "" : ` The log is signed by ${names.join(", ")}, too.`;
  const trust =
    logKey === undefined ? " The coordinator itself named the log's key; pin it with --log-key." : "";
  return {
    code: 0,
    sentence: `Entry ${index} of ${shown.origin} says that this page is served${since}.${signers}${trust}`,
  };
}

/** Reads a page's files where its HTML says that they are. */
function readerOf(page: URL): ShellReader {
  return (path) => fetched(path === SHELL_INDEX ? page : new URL(`..${path}`, page));
}

function faultSentence(fault: ShellFault): string {
  switch (fault.type) {
    case "no-list":
      return "there is no list of files at ../_join/manifest.json.";
    case "bad-list":
      return "what is served at ../_join/manifest.json is no list of a page's files.";
    case "no-file":
      return `${fault.path} is in the list and is not served.`;
    case "changed-file":
      return `${fault.path} is not the file that the list names.`;
  }
}

interface ShellOptions {
  readonly page: URL;
  readonly coordinator: URL;
  readonly hash: string | undefined;
  readonly logKey: string | undefined;
  /** Witnesses that must have signed the log. */
  readonly quorum: QuorumFlags;
}

/** Returns a sentence if an option is wrong, "help" if help was asked for. */
function readOptions(args: readonly string[]): ShellOptions | string {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\nSee --help.`;
  }
  const { values, positionals } = parsed;
  if (values.help === true) return "help";
  const [address = "", ...rest] = positionals;
  const page = URL.parse(address);
  if (page === null || rest.length > 0 || !/^https?:$/.test(page.protocol))
    return "Name the page: npm run verify -- shell URL, such as https://chorus.example.org/join/digits.";
  const coordinator = URL.parse(values.coordinator ?? page.origin);
  const fault = siteAddressFault("--coordinator", coordinator);
  if (fault !== null || coordinator === null) return fault ?? "--coordinator is an address.";
  for (const name of ["hash", "log-key"] as const) {
    const hex = values[name];
    if (hex !== undefined && !HEX.test(hex)) return `--${name} is 64 hex digits.`;
  }
  const quorum = quorumFlags(values);
  if (!quorum.ok) return quorum.error;
  if (values.hash !== undefined && quorum.value.keys.length > 0)
    return "--hash asks no log, so --witness has nothing to sign. Give one of the two.";
  return { page, coordinator, hash: values.hash, logKey: values["log-key"], quorum: quorum.value };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      coordinator: { type: "string" },
      hash: { type: "string" },
      "log-key": { type: "string" },
      ...QUORUM_FLAGS,
      help: { type: "boolean", short: "h" },
    },
  });
}
