import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseSize } from "#shared/tlog/checkpoint.ts";
import { databaseUrlFault, stateOptions } from "../command.ts";
import { QUORUM_FLAGS, QUORUM_HELP, type QuorumFlags, quorumFlags } from "../quorum-options.ts";

export const LOG_HELP = `npm run log -- fsck|prove|verify|trust|rotate|witness [options]

The public log, to which a coordinator writes what it does.

  fsck              reads the whole log of a data folder: every entry and tile, and the checkpoint's signature
  prove INDEX       prints a proof (c2sp.org/tlog-proof) that entry INDEX, counted from 0, is in the log
  verify FILE       checks a file and asks no coordinator: a participant's receipt (.tlog-proof), an exported audit of a round,
                    a device's evidence against a log, or a proof that prove has printed
  trust             after a restore: says that the folder's log is the newest. Only if the coordinator never ran after the
                    backup was made; else the log would show two histories
  rotate            changes the key that signs the log. The coordinator must be stopped. Whoever may read its folder may do it;
                    no admin is asked, and the log shows everyone that it was done. Devices and pages follow by themselves.
                    Killed before the entry that hands over is in the database, nothing has changed, and the next rotate uses
                    the key that it made; killed later, it or the coordinator's next start goes on. If the key before was
                    stolen, a thief can still show another log to whoever has not seen this one since
  witness           runs a witness of logs; see witness --help

  --data DIR        the coordinator's state; default .chorus, or CHORUS_DATA
  --database-url URL
                    for rotate: the coordinator's PostgreSQL, or DATABASE_URL; default SQLite in the folder
  --key NAME+KEYID+KEY
                    for verify and fsck: the log's key, as a page or /api/v1/log of the coordinator states it. A receipt and
                    a proof need it; an audit is else held against the key that the file names itself, and evidence
                    always is. fsck else takes the key from the folder's log.key
${QUORUM_HELP}
  --help

Exit code 0: it holds. 1: it does not, or it proves nothing; the last line says what. 2: it is no such file, or bad
options.`;

export type LogOptions =
  | { readonly verb: "fsck"; readonly dataDir: string; readonly key: string | undefined }
  | { readonly verb: "prove"; readonly dataDir: string; readonly index: number }
  | {
      readonly verb: "verify";
      readonly file: string;
      readonly key: string | undefined;
      readonly quorum: QuorumFlags;
    }
  | { readonly verb: "trust"; readonly dataDir: string }
  | { readonly verb: "rotate"; readonly dataDir: string; readonly databaseUrl: string | undefined };

/** Returns a sentence if an option is wrong, "help" if help was asked for. */
export function readLogOptions(args: readonly string[]): LogOptions | string {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: text,
      "database-url": text,
      key: text,
      ...QUORUM_FLAGS,
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  const [verb, what, ...more] = positionals;
  const { key } = values;
  const state = stateOptions(values);
  const dataDir = resolve(state.dataDir);
  if (more.length > 0) return "Too many words. See --help.";
  const quorum = quorumFlags(values);
  if (!quorum.ok) return quorum.error;
  if (verb !== "verify" && quorum.value.keys.length > 0) return "--witness is for verify alone.";
  switch (verb) {
    case "fsck":
      return what === undefined ? { verb, dataDir, key } : "fsck takes a folder with --data.";
    case "trust":
      return what === undefined ? { verb, dataDir } : "trust takes a folder with --data.";
    case "rotate": {
      const { databaseUrl } = state;
      if (what !== undefined) return "rotate takes a folder with --data.";
      return databaseUrlFault(databaseUrl) ?? { verb, dataDir, databaseUrl };
    }
    case "prove": {
      const index = parseSize(what ?? "");
      return index === undefined
        ? "Name the entry by its index, from 0: prove INDEX."
        : { verb, dataDir, index };
    }
    case "verify":
      return what === undefined
        ? "Name the file: verify FILE."
        : { verb, file: what, key, quorum: quorum.value };
    default:
      return "Say what to do: fsck, prove INDEX, verify FILE, trust or rotate. See --help.";
  }
}
