import { createWriteStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

/*
 * Writes the parts of an upload into one file and nothing else: 202 for each, 200 for the last, once the file is synced.
 * Argument: the file. Reports its address.
 */

const [path = ""] = process.argv.slice(2);
const server = createServer((incoming, response) => void receive(incoming, response));
server.listen(0, "127.0.0.1", () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
process.once("disconnect", () => process.exit(0));

async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const [first, last, total] = (incoming.headers["content-range"] ?? "").match(/\d+/g)?.map(Number) ?? [];
  if (first === 0) await rm(path, { force: true });
  await pipeline(incoming, createWriteStream(path, { flags: "a", highWaterMark: 2 ** 18 }));
  const isWhole = last !== undefined && last + 1 === total;
  if (isWhole) {
    const file = await open(path, "r+");
    await file.datasync();
    await file.close();
  }
  response.statusCode = isWhole ? 200 : 202;
  response.end();
}
