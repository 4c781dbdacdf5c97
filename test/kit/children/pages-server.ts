import { createServer } from "node:http";
import { keepCompiled } from "#coordinator/adapters/compile-cache.ts";

/*
 * Next on the built pages and nothing else: the baseline of `bench -- idle`. Arguments: the port, and `pages`, or
 * `empty` for a server that sends empty answers.
 */

const [port = "0", what = "pages"] = process.argv.slice(2);
const writeCompiled = keepCompiled();
if (what === "empty") createServer((_, response) => response.end()).listen(Number(port), "127.0.0.1");
else {
  const { openPages } = await import("#coordinator/adapters/http/pages.ts");
  const pages = await openPages({ dev: false, port: Number(port) });
  createServer((request, response) => void pages.handle(request, response, false)).listen(
    Number(port),
    "127.0.0.1",
  );
}
writeCompiled();
