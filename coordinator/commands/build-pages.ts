import { ensureWebBuild } from "../adapters/web-build.ts";

/* Builds the pages ahead of the first start, for an image whose coordinator cannot write to its own code. */

await ensureWebBuild(
  () => console.log("Building the pages ..."),
  (text) => process.stderr.write(text),
);
