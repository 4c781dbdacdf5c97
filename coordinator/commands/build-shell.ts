import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { manifestOf, SHELL_LIST, shellFiles, shellPathOf } from "#shared/node/shell.ts";
import { primitives } from "#shared/node/system.ts";
import { shellHash } from "#shared/shell/manifest.ts";
import { ensureWebBuild, JOIN_FOLDER } from "../adapters/web-build.ts";

const HELP = `npm run build-shell -- --out DIR

Writes the participant's page into a folder that any host can serve as plain files. A link names the coordinator and the task:
https://HOST/join/?at=https://chorus.example.org&task=digits. The coordinator must know the host (CHORUS_ORIGINS).

Prints the header that the host should send with each file, and the hash that an operator signs: SHA-256 of the list of
files, the inner object of a WEBCAT manifest. Timestamp and signatures are the operator's.`;

const { values } = parseArgs({ options: { out: { type: "string" }, help: { type: "boolean", short: "h" } } });
if (values.help === true || values.out === undefined) {
  console.log(HELP);
  process.exitCode = values.help === true ? 0 : 2;
} else await writeShell(resolve(values.out));

async function writeShell(folder: string): Promise<void> {
  await ensureWebBuild(
    () => console.error("Building the pages ..."),
    (text) => process.stderr.write(text),
  );
  for (const name of [...(await shellFiles(JOIN_FOLDER)), SHELL_LIST]) {
    const path = join(folder, shellPathOf(name));
    await mkdir(dirname(path), { recursive: true });
    await copyFile(join(JOIN_FOLDER, name), path);
  }
  const manifest = await manifestOf(JOIN_FOLDER);
  console.log(`Content-Security-Policy: ${manifest.default_csp}`);
  console.log(`Sign this hash of the list: ${bytesToHex(await shellHash(primitives, manifest))}`);
}
