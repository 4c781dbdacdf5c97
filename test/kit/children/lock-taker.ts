import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { lockFolder } from "#shared/node/lock.ts";

/*
 * node lock-taker.ts FOLDER [OPTION...]: says "ready", takes the folder's lock once FOLDER.go exists, reports the result
 * and, if it has the lock, holds it until it is killed.
 *
 * --with-child   leaves a child process behind
 * --as-nobody    if started by root, who may write everywhere, becomes another user first
 * --release      releases the lock and ends
 */

const [folder = "", ...options] = process.argv.slice(2);
const NOBODY = 65_534;
if (options.includes("--as-nobody") && process.getuid?.() === 0) {
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
console.log("ready");
// Spins, so that several processes start within microseconds.
while (!existsSync(`${folder}.go`));
const lock = lockFolder(folder);
if (!lock.ok) {
  console.log(JSON.stringify(lock.error));
  process.exit(0);
}
if (options.includes("--release")) {
  lock.value.release();
  console.log("released");
  process.exit(0);
}
if (options.includes("--with-child")) {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore" });
  console.log(`child ${child.pid}`);
}
console.log("held");
setInterval(() => {}, 60_000);
