"use client";
import { useQuery } from "@tanstack/react-query";
import { storedTerms } from "#client/index.ts";
import type { Task } from "#shared/task/task.ts";
import { ApiFailure, getOwnTask } from "../../data/api.ts";
import { KEYS } from "../../data/queries.ts";
import { linkToken } from "../join/link-token.ts";

/**
 * The version that a reader would agree to, asked for with this device's token. If a task by invitation is not shown to
 * this device any more, the version that it agreed to.
 */
export function useAgreedTask(slug: string) {
  return useQuery({ queryKey: KEYS.newestTask(slug), queryFn: () => readTask(slug) });
}

const KEPT_FROM: ReadonlySet<string> = new Set(["BY_INVITATION", "NOT_AUTHENTICATED", "TOKEN_ENDED"]);

async function readTask(slug: string): Promise<Task> {
  const stored = await storedTerms(location.origin, slug);
  try {
    return await withToken(slug, linkToken(slug) ?? stored.joinToken);
  } catch (failure) {
    const isKept = failure instanceof ApiFailure && KEPT_FROM.has(failure.code);
    if (isKept && stored.task !== null) return stored.task;
    throw failure;
  }
}

/** A public task needs no token, so one that has ended is left out. */
async function withToken(slug: string, token: string | null): Promise<Task> {
  try {
    return (await getOwnTask(slug, token)).task;
  } catch (failure) {
    const hasEnded = failure instanceof ApiFailure && failure.code === "NOT_AUTHENTICATED";
    if (!hasEnded || token === null) throw failure;
    return (await getOwnTask(slug, null)).task;
  }
}
