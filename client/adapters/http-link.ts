import { z } from "zod";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { statusSchema, taskViewSchema } from "#shared/protocol/api.ts";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";
import { readStatusVersion } from "#shared/protocol/wire-version.ts";
import type { Link, LinkError } from "../core/ports.ts";
import { download, NOT_AS_DESCRIBED, requestJson } from "./http-requests.ts";
import { putResumable } from "./resumable-put.ts";

/* The half of a link that needs no socket. */

/** The part of a task's view that a device reads. The rest may differ in a coordinator of another version. */
const servedTaskSchema = taskViewSchema.pick({
  task: true,
  settings: true,
  archived: true,
  inUse: true,
  latestModelHash: true,
});

export type Traffic = { -readonly [Count in keyof ReturnType<Link["traffic"]>]: number };
export type OverHttp = Pick<
  Link,
  "show" | "fetchStatus" | "fetchTask" | "fetchPart" | "fetchModel" | "upload"
>;

/** @param traffic  Bytes are added to it. */
export function overHttp(base: URL, traffic: Traffic): OverHttp {
  const received = (byteCount: number) => {
    traffic.downByteCount += byteCount;
  };
  const onSent = (byteCount: number) => {
    traffic.upByteCount += byteCount;
  };
  let token: string | null = null;
  return {
    show: (shown) => {
      token = shown;
    },
    fetchStatus: async () => {
      const status = await requestJson(new URL("/api/v1/status", base), z.unknown(), received);
      if (!status.ok) return status;
      const otherVersion = readStatusVersion(status.value);
      if (otherVersion !== null) return err({ type: "refused", error: otherVersion });
      const parsed = statusSchema.safeParse(status.value);
      return parsed.success ? ok(parsed.data) : err(NOT_AS_DESCRIBED);
    },
    fetchTask: (slug, version) => {
      const path = `/api/v1/tasks/${encodeURIComponent(slug)}${version === undefined ? "" : `/${version}`}`;
      return showing(token, (shown) => requestJson(new URL(path, base), servedTaskSchema, received, shown));
    },
    fetchPart: (path) =>
      showing(token, (shown) => requestJson(new URL(path, base), z.unknown(), received, shown)),
    fetchModel: async (hash, onProgress, signal) => {
      const url = new URL(`/api/v1/models/${hash}`, base);
      const model = await showing(token, (shown) => download(url, signal, onProgress, shown));
      if (model.ok) received(model.value.length);
      return model;
    },
    upload: (path, headers, body, options) =>
      putResumable(new URL(path, base), headers, body, { ...options, onSent }),
  };
}

/**
 * Asks with the token, and without it if that has ended: a public task needs none. If it was needed, the answer says that
 * the token has ended.
 */
async function showing<Value>(
  token: string | null,
  ask: (token: string | null) => Promise<Result<Value, LinkError>>,
): Promise<Result<Value, LinkError>> {
  const answer = await ask(token);
  if (token === null || !isRefusal(answer, "NOT_AUTHENTICATED")) return answer;
  const bare = await ask(null);
  if (!isRefusal(bare, "BY_INVITATION")) return bare;
  return err({ type: "refused", error: wireError("TOKEN_ENDED") });
}

function isRefusal(answer: Result<unknown, LinkError>, code: ErrorCode): boolean {
  return !answer.ok && answer.error.type === "refused" && answer.error.error.code === code;
}
