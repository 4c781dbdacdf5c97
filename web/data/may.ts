"use client";
import type { OwnSession } from "#shared/protocol/access-api.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import { useSession } from "./access-queries.ts";

/** True if whoever has signed in holds `permission` in the task's project. False until both are known. */
export type May = (permission: string, task: Pick<TaskView, "projectId"> | null) => boolean;

export function mayFor(me: Pick<OwnSession, "projects" | "inEveryProject"> | null): May {
  return (permission, task) => {
    if (me === null || task?.projectId === undefined) return false;
    const { projectId } = task;
    return me.inEveryProject.includes(permission) || projectsWhere(me, permission).includes(projectId);
  };
}

/** Projects in which one holds a permission. */
export function projectsWhere(me: Pick<OwnSession, "projects">, permission: string): readonly string[] {
  return me.projects
    .filter(({ permissions }) => permissions.includes(permission))
    .map(({ projectId }) => projectId);
}

/** What one may do to a task and its runs. What one may not do is absent from the pages (X93). */
export function useMay(): May {
  const { data = null } = useSession();
  return mayFor(data);
}
