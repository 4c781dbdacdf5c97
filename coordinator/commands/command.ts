import type { Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { isErrorCode, messageOf } from "../adapters/system-errors.ts";

/** The value of an environment variable, unless it is empty. */
export function environment(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** Other sites whose pages may use a coordinator (W17). */
export function namedOrigins(): readonly string[] {
  return (environment("CHORUS_ORIGINS") ?? "")
    .split(",")
    .map((origin) => origin.trim())
    .filter(Boolean);
}

/** @throws Error with the sentence of the refusal. */
export function granted<Value>(result: Result<Value, WireError>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** Where a coordinator's state is, from flags or the environment. An empty flag is a shell's unset variable: it counts as none. */
export function stateOptions(values: { readonly data?: string; readonly "database-url"?: string }): {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
} {
  return {
    dataDir: values.data || environment("CHORUS_DATA") || ".chorus",
    databaseUrl: values["database-url"] || environment("DATABASE_URL"),
  };
}

/** A sentence about a URL that is not PostgreSQL's; null if it is one or absent. */
export function databaseUrlFault(databaseUrl: string | undefined): string | null {
  if (databaseUrl === undefined) return null;
  if (URL.canParse(databaseUrl) && /^postgres(ql)?:$/.test(new URL(databaseUrl).protocol)) return null;
  // The value may hold a password, so it is not shown.
  return "The database's URL (--database-url or DATABASE_URL) is not like postgres://user:password@host/name.";
}

/**
 * Runs a command from its flags to its exit code: 0 after --help, 2 with a sentence for bad flags, 1 with a sentence
 * if `perform` rejects.
 *
 * @param read  Returns a sentence if a flag is wrong, "help" if help was asked for. May throw what `parseArgs` throws.
 */
export async function runCommand<Options extends object>(
  help: string,
  read: () => Options | string,
  perform: (options: Options) => Promise<number>,
): Promise<number> {
  let options: Options | string;
  try {
    options = read();
  } catch (error) {
    options = `${messageOf(error)}\nSee --help.`;
  }
  if (options === "help") {
    console.log(help);
    return 0;
  }
  if (typeof options === "string") {
    console.error(options);
    return 2;
  }
  try {
    return await perform(options);
  } catch (error) {
    console.error(sentenceOf(error));
    return 1;
  }
}

/** Says what to do about an error of the system that an operator can mend. */
function sentenceOf(error: unknown): string {
  const message = messageOf(error);
  if (isErrorCode(error, "ENOSPC", "EDQUOT"))
    return `There is no room left (${message}). Make room, or choose another disk. Nothing was changed.`;
  if (isErrorCode(error, "EACCES", "EPERM", "EROFS"))
    return `This user may not do that (${message}). Run the command as the user of the coordinator.`;
  return message;
}

const SIGNAL_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Ends the process on a signal, with the shell's code for it, after `clean`. */
export function cleanOnSignals(clean: () => void): void {
  for (const [signal, code] of Object.entries(SIGNAL_CODES)) {
    process.once(signal, () => {
      try {
        clean();
      } finally {
        process.exit(code);
      }
    });
  }
}
