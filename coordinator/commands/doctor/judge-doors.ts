import type { WitnessTrouble } from "../../core/ports/witnesses.ts";
import type { Finding } from "./finding.ts";

/* Judges how a coordinator is reached. Pure: the facts are collected in look-doors.ts. */

const DAY_MS = 86_400_000;
const RENEW_DAYS = 14;
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * What is on a port of this machine: nothing, a Chorus, something else, or a refusal of the system. `elsewhere`: the
 * address to listen on is not this machine's.
 */
export type PortLook =
  | { readonly kind: "free" }
  | { readonly kind: "chorus"; readonly version: string }
  | { readonly kind: "other" }
  | { readonly kind: "forbidden" }
  | { readonly kind: "elsewhere"; readonly host: string };

/** @param isHeld  Whether a coordinator has the data folder. */
export function judgePort(port: number, look: PortLook, isHeld: boolean): Finding {
  const about = "port";
  switch (look.kind) {
    case "free":
      return isHeld
        ? {
            level: "look",
            about,
            says: `Nothing listens on ${port}, although a coordinator has the folder. Name its port with --port.`,
          }
        : { level: "ok", about, says: `${port} is free` };
    case "chorus":
      return isHeld
        ? { level: "ok", about, says: `Chorus ${look.version} answers on ${port}` }
        : {
            level: "look",
            about,
            says: `Chorus ${look.version} answers on ${port}, but not with this data folder. Choose another --port for this one.`,
          };
    case "other":
      return {
        level: "wrong",
        about,
        says: `${port} is in use by another program. Stop that, or choose another --port.`,
      };
    case "forbidden":
      return {
        level: "wrong",
        about,
        says: `This user may not listen on ${port}. Choose a --port from 1024 up.`,
      };
    case "elsewhere":
      return {
        level: "wrong",
        about,
        says: `${look.host} is not an address of this machine. Correct --host, or leave it out to listen on all of them.`,
      };
  }
}

export type CertificateLook =
  /** The next start makes it. */
  | { readonly kind: "new" }
  | { readonly kind: "unreadable"; readonly sentence: string }
  | {
      readonly kind: "read";
      readonly fromUnixMs: number;
      readonly untilUnixMs: number;
      readonly matchesKey: boolean;
      /** Name under which others reach the coordinator, and whether the certificate is for it; null if none is known. */
      readonly name: { readonly host: string; readonly isCovered: boolean } | null;
    };

export function judgeCertificate(look: CertificateLook, nowUnixMs: number): Finding {
  const about = "certificate";
  if (look.kind === "new") return { level: "ok", about, says: "none yet; the first start makes it" };
  if (look.kind === "unreadable") return { level: "wrong", about, says: look.sentence };
  const { fromUnixMs, untilUnixMs, matchesKey, name } = look;
  const until = new Date(untilUnixMs).toISOString().slice(0, 10);
  if (!matchesKey)
    return {
      level: "wrong",
      about,
      says: "It does not belong to the key. Give the pair with --tls-cert and --tls-key.",
    };
  if (untilUnixMs <= nowUnixMs) return { level: "wrong", about, says: `It expired on ${until}. Renew it.` };
  if (fromUnixMs > nowUnixMs)
    return {
      level: "wrong",
      about,
      says: `It is valid only from ${new Date(fromUnixMs).toISOString()}. Check the clock, or wait.`,
    };
  if (name !== null && !name.isCovered)
    return {
      level: "wrong",
      about,
      says: `It is not for ${name.host}, so browsers refuse it. Get one for that name.`,
    };
  if (untilUnixMs - nowUnixMs < RENEW_DAYS * DAY_MS)
    return { level: "look", about, says: `It expires on ${until}. Renew it.` };
  return { level: "ok", about, says: `valid until ${until}${name === null ? "" : `, for ${name.host}`}` };
}

export type ReachedLook =
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "other" }
  | {
      readonly kind: "chorus";
      readonly version: string;
      /** Names of the checks of /readyz that fail. */
      readonly failing: readonly string[];
      /** Its clock less ours; null if it does not say. */
      readonly clockAheadMs: number | null;
      /** Of its public log. */
      readonly witnesses: readonly { readonly name: string; readonly trouble: WitnessTrouble | null }[];
    };

export function judgeReached(url: string, look: ReachedLook, ownVersion: string): readonly Finding[] {
  const about = "coordinator";
  if (look.kind === "unreachable")
    return [
      {
        level: "wrong",
        about,
        says: `${url} cannot be reached (${look.reason}). Check that it runs, its name, the proxy and the certificate.`,
      },
    ];
  if (look.kind === "other")
    return [
      {
        level: "wrong",
        about,
        says: `What answers at ${url} is no Chorus. Check the address and the proxy.`,
      },
    ];
  const { version, failing, clockAheadMs, witnesses } = look;
  const findings: Finding[] = [];
  if (failing.length > 0)
    findings.push({ level: "wrong", about, says: `It is not ready: ${failing.join(", ")}. See its log.` });
  if (version !== ownVersion)
    findings.push({ level: "look", about, says: `It runs version ${version}, and this is ${ownVersion}.` });
  if (clockAheadMs !== null && Math.abs(clockAheadMs) > CLOCK_TOLERANCE_MS)
    findings.push({
      level: "look",
      about,
      says: `Its clock and this machine's differ by ${Math.round(Math.abs(clockAheadMs) / 1_000)} s. Set both by NTP.`,
    });
  for (const { name, trouble } of witnesses)
    if (trouble !== null)
      findings.push({ level: "look", about: "witnesses", says: `${name} ${TROUBLES[trouble]}` });
  return findings.length > 0
    ? findings
    : [{ level: "ok", about, says: `Chorus ${version} is ready at ${url}` }];
}

const TROUBLES: Readonly<Record<WitnessTrouble, string>> = {
  "no-answer": "does not answer. Rounds of tasks that need its signature wait.",
  "unknown-log":
    "does not follow this log, or has not got its key. Whoever runs it starts it with --log and the log's key.",
  "other-history":
    "has signed another history of this log. An older copy of the data folder may be running: compare with the newest backup before anything else is signed.",
};

export function judgePages(state: "current" | "stale" | "missing"): Finding {
  const about = "pages";
  if (state === "current") return { level: "ok", about, says: "built from these sources" };
  const what = state === "missing" ? "Not built yet" : "Built from other sources";
  return { level: "look", about, says: `${what}; the next start builds them, which takes a minute.` };
}
