import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { lockFolder } from "#shared/node/lock.ts";
import { primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import { isNoteName, parseVerifierKey, SIGNATURE_TYPES, type VerifierKey } from "#shared/tlog/note.ts";
import { closeServer, listen } from "../../adapters/http/listen.ts";
import { openLog } from "../../adapters/log.ts";
import { openWitnessFolder } from "../../adapters/witness/witness-folder.ts";
import { createWitnessServer } from "../../adapters/witness/witness-server.ts";
import { Witness } from "../../core/audit/witness.ts";

export const WITNESS_HELP = `npm run log -- witness --name NAME --log NAME+KEYID+KEY [options]

Runs a witness (c2sp.org/tlog-witness): it signs a log's checkpoint only if that continues the one that it signed last, so that
the log cannot show two histories to those who ask for its signature. The first checkpoint of a log is signed on trust. Run it on a machine that is not the log's, by someone else.

  --name NAME       of the witness, without spaces and plus signs, such as witness.example.org/w1; for its whole life
  --log NAME+KEYID+KEY
                    a log that it follows: its key, as /api/v1/log of the coordinator states it; may be repeated
  --state DIR       its key, and what it signed last of each log; default .chorus-witness
  --listen [HOST:]PORT
                    default localhost:3100. Put a proxy in front of it, for HTTPS and to bound the connections of each
                    address: it takes 256 in all
  --help

Its first line of output is its own key, NAME+KEYID+KEY: give it to whoever runs the log (npm run coordinator -- --witness
NAME+KEYID+KEY@URL) and to those who publish tasks.

If a log changes its key, the checkpoint that says so (entry log.keyRotated) is signed by both keys. After that one the witness
answers 403 until it has the new key: take it from that entry, start the witness with both keys as two --log, and leave out the
old one once the log signs with the new.

Never put the state folder back from a backup or a snapshot: a witness that forgets what it signed can sign a second history. If
the folder is lost, begin a new witness. If a log signs two trees of one size, both checkpoints are kept in the folder, under split/.

SIGTERM and Ctrl-C stop it. Exit code 0: it was stopped. 1: it could not start. 2: bad options.`;

export interface WitnessOptions {
  readonly name: string;
  readonly logs: readonly string[];
  readonly folder: string;
  readonly host: string;
  readonly port: number;
}

/** Returns a sentence if an option is wrong, "help" if help was asked for. @param args  After the word `witness`. */
export function readWitnessOptions(args: readonly string[]): WitnessOptions | string {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: text,
      log: { ...text, multiple: true },
      state: { ...text, default: ".chorus-witness" },
      listen: { ...text, default: "localhost:3100" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  const { name = "", log: logs = [] } = values;
  if (!isNoteName(name) || name.length > 128)
    return "Name the witness: --name takes up to 128 characters without spaces and plus signs, such as witness.example.org/w1.";
  if (logs.length === 0) return "Say which log it follows: --log NAME+KEYID+KEY. See --help.";
  const [, host = "localhost", digits] = /^(?:(.+):)?(\d{1,5})$/.exec(values.listen) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535)
    return "--listen takes a port, or host and port, such as 0.0.0.0:3100.";
  return { name, logs, folder: resolve(values.state), host: host.replaceAll(/^\[|\]$/g, ""), port };
}

/** Runs until a signal ends it. @returns The exit code. @throws Error that says what to do if it cannot start. */
export async function runWitness({ name, logs, folder, host, port }: WitnessOptions): Promise<number> {
  const keys = await logKeysOf(logs);
  if (typeof keys === "string") {
    console.error(keys);
    return 2;
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = lockFolder(folder);
  if (!lock.ok)
    throw new Error(
      lock.error.type === "held"
        ? `Another witness uses ${folder}. Stop that one first, or name another folder with --state.`
        : `${folder} cannot be locked (${lock.error.path}: ${lock.error.reason}). It must be on a local disk that this user can write to.`,
    );
  try {
    const { signer, verifierKey, memory } = await openWitnessFolder(primitives, randomBytes, folder, name);
    const witness = new Witness({ primitives, memory, signer, name, logs: keys, wall: wallClock });
    const server = createWitnessServer(witness, openLog({ destination: process.stderr }));
    const taken = await listen(server, port, host, "--listen");
    console.log(verifierKey);
    console.error(
      `Witness ${name} on http://${host.includes(":") ? `[${host}]` : host}:${taken}, of ${[...new Set(keys.map((key) => key.name))].join(", ")}. Ctrl-C stops it.`,
    );
    await stopSignal();
    // What is durable and not yet answered is asked for again by the log.
    await closeServer(server);
    return 0;
  } finally {
    lock.value.release();
  }
}

/** Returns a sentence if one is no key of a log. */
async function logKeysOf(texts: readonly string[]): Promise<readonly VerifierKey[] | string> {
  const keys: VerifierKey[] = [];
  for (const text of texts) {
    const key = await parseVerifierKey(primitives, text);
    if (!key.ok) return `--log ${text}: ${key.error.sentence}`;
    if (key.value.type !== SIGNATURE_TYPES.ed25519)
      return `--log ${text} is the key of a witness. Give the log's own.`;
    keys.push(key.value);
  }
  return keys;
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => resolve());
  });
}
