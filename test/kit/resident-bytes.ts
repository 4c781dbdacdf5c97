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
    statusOf(pid, "VmRSS") ?? execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return Number(kilobytes) * 1_024;
}

/** The highest since the start of the process; what it is now on systems that do not count it. */
export function highestResidentBytes(pid: number): number {
  const kilobytes = statusOf(pid, "VmHWM");
  return kilobytes === undefined ? residentBytes(pid) : Number(kilobytes) * 1_024;
}

function statusOf(pid: number, field: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  return new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
}
