import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { runIdSchema } from "#shared/protocol/ids.ts";
import { RunPage } from "../../../../features/run/run-view.tsx";

export const metadata: Metadata = { title: "Run" };

export default async function Page({ params }: { readonly params: Promise<{ id: string }> }) {
  const runId = runIdSchema.safeParse((await params).id);
  if (!runId.success) notFound();
  return <RunPage runId={runId.data} />;
}
