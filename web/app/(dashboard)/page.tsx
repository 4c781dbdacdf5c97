import type { Metadata } from "next";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import { Home } from "../../features/home/home.tsx";

export const metadata: Metadata = { title: "Runs" };

interface PageProps {
  /** `?task=SLUG#launch` begins a launch of that task. */
  readonly searchParams: Promise<{ readonly task?: string | string[] }>;
}

export default async function Page({ searchParams }: PageProps) {
  const task = taskSlugSchema.safeParse((await searchParams).task);
  return <Home asked={task.success ? task.data : null} />;
}
