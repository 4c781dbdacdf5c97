"use client";
import { useQuery } from "@tanstack/react-query";
import { storedTerms } from "#client/index.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import type { Task } from "#shared/task/task.ts";
import { ApiFailure, getOwnTask } from "../../data/api.ts";
import { coordinatorOrigin } from "../../data/coordinator.ts";
import type { Joining } from "../../words/tasks.ts";
import { linkToken } from "../join/link-token.ts";

export interface AgreedTask {
  readonly task: Task;
  readonly joining: Joining;
}

/**
 * The version that a reader would agree to, asked for with this device's token. If a task by invitation is not shown to
 * this device any more, the version that it agreed to.
 */
export function useAgreedTask(slug: string) {
  return useQuery({ queryKey: ["agreed-task", slug], queryFn: () => readTask(slug) });
}

const KEPT_FROM: ReadonlySet<string> = new Set(["BY_INVITATION", "NOT_AUTHENTICATED", "TOKEN_ENDED"]);

async function readTask(slug: string): Promise<AgreedTask> {
  const stored = await storedTerms(coordinatorOrigin(), slug);
  try {
    return await withToken(slug, linkToken(slug) ?? stored.joinToken);
  } catch (failure) {
    const isKept = failure instanceof ApiFailure && KEPT_FROM.has(failure.code);
    if (isKept && stored.task !== null) return { task: stored.task, joining: "invitation" };
    throw failure;
  }
}

/** A public task needs no token, so one that has ended is left out. */
async function withToken(slug: string, token: string | null): Promise<AgreedTask> {
  try {
    return agreed(await getOwnTask(slug, token));
  } catch (failure) {
    const hasEnded = failure instanceof ApiFailure && failure.code === "NOT_AUTHENTICATED";
    if (!hasEnded || token === null) throw failure;
    return agreed(await getOwnTask(slug, null));
  }
}

function agreed({ task, settings }: TaskView): AgreedTask {
  return { task, joining: settings?.joining ?? "public" };
}
