import { readFileSync } from "node:fs";
import { request } from "node:http";

/*
 * PUTs one file to /0, /1, ... of a local server, a few at a time, and exits with code 0 when all were accepted.
 * Arguments: port, file, number of uploads, uploads at a time.
 */

const [port = "", file = "", count = "", atATime = ""] = process.argv.slice(2);
const body = readFileSync(file);
let next = 0;
await Promise.all(
  Array.from({ length: Number(atATime) }, async () => {
    while (next < Number(count)) await put(`/${next++}`);
  }),
);

function put(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-length": body.length };
    const options = { host: "127.0.0.1", port: Number(port), path, method: "PUT", headers };
    const outgoing = request(options, (response) => {
      response.resume();
      if (response.statusCode === 201) resolve();
      else reject(new Error(`the upload was answered with ${response.statusCode}`));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
