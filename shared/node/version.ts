import { readFileSync } from "node:fs";

// No literal in `new URL`: the packed edge has a manifest of its own there.
const MANIFEST = "../../package.json";

/** Version of this program, from package.json. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL(MANIFEST, import.meta.url), "utf8")) as { readonly version: string }
).version;
