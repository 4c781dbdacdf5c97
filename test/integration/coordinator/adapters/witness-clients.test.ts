import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { closeServer, listen } from "#coordinator/adapters/http/listen.ts";
import { openWitnesses } from "#coordinator/adapters/witness/witness-clients.ts";
import type { WitnessReply } from "#coordinator/core/ports/witnesses.ts";
import { present } from "#shared/kernel/assert.ts";
import { formatVerifierKey } from "#shared/tlog/note.ts";
import { TestWitness } from "#test/kit/worlds/witnesses.ts";

const servers: Server[] = [];
afterAll(async () => {
  for (const server of servers) await closeServer(server);
});

const key = formatVerifierKey((await TestWitness.make("w.example", [])).key);

/** What is made of a server's answer. */
async function replyOf(answer: RequestListener, path = ""): Promise<WitnessReply> {
  const server = createServer(answer);
  servers.push(server);
  await listen(server, 0, "127.0.0.1");
  const { port } = server.address() as AddressInfo;
  const [witness] = await openWitnesses([{ key, url: `http://127.0.0.1:${port}${path}` }]);
  return present(witness, "a witness").addCheckpoint("old 0\n\n");
}

test("[A93] a witness's answer is taken as it is, from below its prefix", async () => {
  const asked: string[] = [];
  const reply = await replyOf((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(409, { "content-type": "Text/X.tlog.size; charset=utf-8" }).end("5\n");
  }, "/prefix");
  expect(asked).toEqual(["POST /prefix/add-checkpoint"]);
  expect(reply).toEqual({ type: "answer", status: 409, mediaType: "text/x.tlog.size", text: "5\n" });
});

test("[A93] an answer that hangs, is endless, elsewhere, cut, or no text is none", async () => {
  let elsewhere = 0;
  const answers: Readonly<Record<string, RequestListener>> = {
    "never answers": () => {},
    "never ends": (_, response) => void response.writeHead(200).write("x"),
    megabytes: (_, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    },
    redirects: (request, response) => {
      if (request.url === "/elsewhere") elsewhere += 1;
      response.writeHead(307, { location: "/elsewhere" }).end();
    },
    "closes at once": (request) => void request.socket.destroy(),
    "cuts its answer": (_, response) => {
      response.writeHead(200, { "content-length": "100" }).write("x");
      setTimeout(() => response.destroy(), 20);
    },
    "sends no UTF-8": (_, response) => void response.writeHead(200).end(Buffer.from([0xff, 0xfe])),
  };
  const replies = await Promise.all(
    Object.entries(answers).map(async ([what, answer]) => [what, (await replyOf(answer)).type]),
  );
  expect(replies).toEqual(Object.keys(answers).map((what) => [what, "no-answer"]));
  expect(elsewhere).toBe(0);
  const [gone] = await openWitnesses([{ key, url: "http://127.0.0.1:1" }]);
  expect(await gone?.addCheckpoint("")).toEqual({ type: "no-answer" });
});
