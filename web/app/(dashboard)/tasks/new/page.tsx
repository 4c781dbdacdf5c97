import type { Metadata } from "next";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import { WorkshopPage } from "../../../../features/workshop/workshop.tsx";

export const metadata: Metadata = { title: "New task" };

interface PageProps {
  /** `?from=SLUG` begins with the newest version of a task. */
  readonly searchParams: Promise<{ readonly from?: string | string[] }>;
}

export default async function Page({ searchParams }: PageProps) {
  const from = taskSlugSchema.safeParse((await searchParams).from);
  return <WorkshopPage from={from.success ? from.data : null} />;
}
