import type { Worker } from "node:worker_threads";
import { openStore } from "#coordinator/adapters/database/open-store.ts";

/* Loses its store's writing thread and does not handle it. Argument: the folder. */

const threads: Worker[] = [];
process.on("worker", (worker) => threads.push(worker));
await openStore({ dataDir: process.argv[2] ?? "" });
await threads[0]?.terminate();
setTimeout(() => {
  console.log("it goes on");
  process.exit(0);
}, 5_000);
