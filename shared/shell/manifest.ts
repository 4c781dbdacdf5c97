import { z } from "zod";
import { canonicalJson } from "../codec/canonical-json.ts";
import { type Bytes, utf8 } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

/*
 * The list of everything that the participant's page consists of. Its hash names the page: it is a leaf of the log, and part
 * of the code that a round is opened under.
 *
 * Source: WEBCAT, the inner object of a manifest (freedomofpress/webcat-spec, manifest.md). The timestamp and the
 * signatures are the operator's and are not part of the hash.
 */

/** WEBCAT wants an address. Hosts of a page have their own. */
const APP = "https://chorus.invalid/";
/** Where the HTML is, beside the folder of all other files. */
export const SHELL_INDEX = "/join/index.html";
export const SHELL_FOLDER = "/_join/";
/** Where the list itself is. */
export const SHELL_MANIFEST = `${SHELL_FOLDER}manifest.json`;

const SHA256 = z.string().regex(/^[\w-]{43}$/);
const PATH = z.string().regex(/^\/_?join\/[\w-][\w.-]{0,200}$/);

export const shellManifestSchema = z.strictObject({
  app: z.string().max(200),
  version: z.string().min(1).max(64),
  default_csp: z.string().min(1).max(2_000),
  default_index: z.literal(SHELL_INDEX),
  default_fallback: z.literal(SHELL_INDEX),
  /** SHA-256 in base64url of each file, by its path. */
  files: z.record(PATH, SHA256),
  /** The same, of the files that hold WebAssembly. Sorted. */
  wasm: z.array(SHA256),
});
export type ShellManifest = z.infer<typeof shellManifestSchema>;

/** @param hashByPath  SHA-256 in base64url. @param policy  The header that a host sends with each file. */
export function shellManifest(
  version: string,
  policy: string,
  hashByPath: ReadonlyMap<string, string>,
): ShellManifest {
  const sorted = Array.from(hashByPath).sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    app: APP,
    version,
    default_csp: policy,
    default_index: SHELL_INDEX,
    default_fallback: SHELL_INDEX,
    files: Object.fromEntries(sorted),
    wasm: sorted
      .filter(([path]) => path.endsWith(".wasm"))
      .map(([, hash]) => hash)
      .sort(),
  };
}

/** What names the page: SHA-256 of the canonical JSON. It is also what an operator signs. */
export function shellHash(primitives: Primitives, manifest: ShellManifest): Promise<Bytes> {
  return primitives.sha256(utf8(canonicalJson(manifest)));
}
