import { answerCall } from "#shared/kernel/calls.ts";
import type { FromLogWorker, LogAsk, ToLogWorker } from "./log-messages.ts";
import { LogWork } from "./log-work.ts";

/* Checks the log and rounds, so that the page stays free while thousands of entries are hashed. */

const tell = (message: FromLogWorker) => globalThis.postMessage(message);
const work = new LogWork((progress) => tell({ kind: "progress", progress }));

globalThis.onmessage = ({ data }: MessageEvent<ToLogWorker>) => {
  if (data.kind === "enough") work.enough();
  else void answerCall(data, perform, tell);
};

function perform({ name, ask }: LogAsk): Promise<unknown> {
  switch (name) {
    case "look":
      return work.look(ask);
    case "search":
      return work.search(ask);
    case "audit":
      return work.audit(ask);
    case "path":
      return work.path(ask);
    case "bundle":
      return work.bundle(ask);
  }
}
