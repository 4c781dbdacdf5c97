import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { stageEdge } from "./pack/stage-edge.ts";

const HELP = `npm run pack-edge [-- --to DIR]

Packs the edge as chorus-edge-VERSION.tgz, for machines without a checkout. There, with Node 24 or later:

  npm install --global ./chorus-edge-VERSION.tgz
  chorus-edge --help

  --to DIR   where the file is put; default: this folder
  --help`;

const { values } = parseArgs({
  options: { to: { type: "string", default: "." }, help: { type: "boolean" } },
});
if (values.help === true) {
  console.log(HELP);
} else {
  const folder = mkdtempSync(join(tmpdir(), "chorus-edge-"));
  try {
    await stageEdge(folder);
    const args = ["pack", "--silent", "--pack-destination", resolve(values.to)];
    const name = execFileSync("npm", args, { cwd: folder, encoding: "utf8" }).trim();
    console.log(join(values.to, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
