import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import { TaskPage } from "../../../../features/tasks/task-page.tsx";

export const metadata: Metadata = { title: "Task" };

export default async function Page({ params }: { readonly params: Promise<{ slug: string }> }) {
  const slug = taskSlugSchema.safeParse((await params).slug);
  if (!slug.success) notFound();
  return <TaskPage slug={slug.data} />;
}
