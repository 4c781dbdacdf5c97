import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { fetched } from "#coordinator/adapters/served-log.ts";

test("[A53] a file without an end is given up at the bound, and its connection is closed", async () => {
  const piece = Buffer.alloc(2 ** 20);
  const server = createServer((request, response) => {
    if (request.url === "/short") {
      response.end("whole");
      return;
    }
    const isClosed = once(response, "close");
    closed.push(isClosed);
    const more = () => {
      while (!response.destroyed && response.write(piece));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  const closed: Promise<unknown>[] = [];
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await expect(fetched(new URL("/endless", base))).rejects.toThrow(/longer than any file/);
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
    expect(await fetched(new URL("/short", base))).toEqual(new Uint8Array(Buffer.from("whole")));
  } finally {
    server.close();
  }
});
