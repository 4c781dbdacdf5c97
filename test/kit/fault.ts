import { openLog } from "#coordinator/adapters/log.ts";
import { endOnFault } from "#coordinator/main.ts";

/* A process that fails as its argument says, with the coordinator's handlers installed and others after them. */

endOnFault(openLog());
// Like Next: a listener that would keep the process alive.
process.on("uncaughtException", () => undefined);
process.on("unhandledRejection", () => undefined);
setInterval(() => undefined, 1_000);
if (process.argv[2] === "throw") {
  setTimeout(() => {
    throw new Error("planted fault");
  });
} else {
  void Promise.reject(new Error("planted fault"));
}
