import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const SAMPLE_MS = 20;

/** Bytes, sampled from outside: the process itself cannot measure while it works. */
export function watchResident(pid: number) {
  let highest = 0;
  const timer = setInterval(() => {
    highest = Math.max(highest, residentBytes(pid));
  }, SAMPLE_MS);
  return {
    now: () => residentBytes(pid),
    highest: () => highest,
    reset: () => {
      highest = residentBytes(pid);
    },
    stop: () => clearInterval(timer),
  };
}

/** Resident memory of a process as the system counts it, threads included. */
export function residentBytes(pid: number): number {
  const kilobytes =
    process.platform === "linux"
      ? /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
      : execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return Number(kilobytes) * 1_024;
}
