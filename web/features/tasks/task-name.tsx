import Link from "next/link";
import type { Task } from "#shared/task/task.ts";
import { taskTitle } from "../../words/tasks.ts";

/** A task in a list: its title as a link, and its address under it if that is another. @param under  Such as "/tasks". */
export function TaskName({ task, under }: { readonly task: Task; readonly under: string }) {
  return (
    <>
      <Link href={`${under}/${task.slug}`} className="font-semibold">
        {taskTitle(task)}
      </Link>
      {task.title !== undefined && <span className="note block">{task.slug}</span>}
    </>
  );
}
