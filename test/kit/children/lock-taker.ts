import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { lockFolder } from "#shared/node/lock.ts";

/*
 * node lock-taker.ts FOLDER [--with-child]: says "ready", takes the folder's lock once FOLDER.go exists, says how that went
 * and, where it has it, holds it until it is killed. With --with-child it leaves a child process.
 */

const [folder = "", withChild] = process.argv.slice(2);
console.log("ready");
// Spins, so that several processes go off within microseconds.
while (!existsSync(`${folder}.go`));
const lock = lockFolder(folder);
if (!lock.ok) {
  console.log(JSON.stringify(lock.error));
  process.exit(0);
}
if (withChild === "--with-child") {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore" });
  console.log(`child ${child.pid}`);
}
console.log("held");
setInterval(() => {}, 60_000);
