import type { WitnessPort, WitnessReply } from "#coordinator/core/ports/witnesses.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { utf8ToText } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { primitives } from "#shared/node/system.ts";
import { WITNESS_KEY_PATTERN } from "#shared/task/log-witnesses.ts";
import { COSIGNATURE_BYTES_MAX } from "#shared/tlog/add-checkpoint.ts";
import { parseVerifierKey, SIGNATURE_TYPES } from "#shared/tlog/note.ts";

/** A witness as the operator names it. */
export interface WitnessAddress {
  /** NAME+KEYID+KEY. */
  readonly key: string;
  /** Below which it has `add-checkpoint`. */
  readonly url: string;
}

/** As many as a task may name. */
const COUNT_MAX = 16;
/** A round trip around the world, a write to a disk, and a queue. */
const ANSWER_MS = 5_000;

/** Reads NAME+KEYID+KEY@URL. Errors: a sentence that says what is wrong. */
export function readWitnessAddresses(texts: readonly string[]): Result<readonly WitnessAddress[], string> {
  const addresses: WitnessAddress[] = [];
  for (const text of texts) {
    const [, key = "", address = ""] = /^(.+?)@(https?:\/\/.+)$/.exec(text) ?? [];
    const url = URL.parse(address);
    if (url === null)
      return err(
        "--witness takes NAME+KEYID+KEY@URL: the key that the witness printed, and its address, such as https://witness.example.org.",
      );
    if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
      return err("The address of a --witness has no user name, password, query or fragment.");
    if (!WITNESS_KEY_PATTERN.test(key))
      return err("The key of a --witness is NAME+KEYID+KEY, as the witness prints it.");
    addresses.push({ key, url: url.href });
  }
  if (addresses.length > COUNT_MAX) return err(`--witness may be given ${COUNT_MAX} times at most.`);
  if (new Set(addresses.map(({ key }) => key)).size < addresses.length)
    return err("Two --witness have the same key. Each counts once: leave one out.");
  return ok(addresses);
}

/** @throws Error that says which key is none of a witness. */
export async function openWitnesses(addresses: readonly WitnessAddress[]): Promise<readonly WitnessPort[]> {
  return Promise.all(
    addresses.map(async ({ key: text, url }) => {
      const key = await parseVerifierKey(primitives, text);
      if (!key.ok) throw new Error(`--witness ${text}: ${key.error.sentence}`);
      if (key.value.type !== SIGNATURE_TYPES.cosignature)
        throw new Error(`--witness ${text} is the key of a log. Give the one that the witness printed.`);
      const target = new URL("add-checkpoint", url.endsWith("/") ? url : `${url}/`);
      return { key: key.value, addCheckpoint: (body: string) => post(target, body) };
    }),
  );
}

async function post(url: URL, body: string): Promise<WitnessReply> {
  try {
    const answer = await fetch(url, {
      method: "POST",
      body,
      headers: { "content-type": "text/plain; charset=utf-8" },
      // A witness is where its operator says that it is.
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await readText(answer);
    if (text === null) return { type: "no-answer" };
    const [mediaType = ""] = (answer.headers.get("content-type") ?? "").split(";");
    return { type: "answer", status: answer.status, mediaType: mediaType.trim().toLowerCase(), text };
  } catch {
    return { type: "no-answer" };
  }
}

/** Null if it is longer than any answer, or no text. */
async function readText({ body }: Response): Promise<string | null> {
  const chunks: Bytes[] = [];
  let byteCount = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of body ?? []) {
    byteCount += chunk.length;
    if (byteCount > COSIGNATURE_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return utf8ToText(Buffer.concat(chunks)) ?? null;
}
