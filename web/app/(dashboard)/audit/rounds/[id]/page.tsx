import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { roundIdSchema } from "#shared/protocol/ids.ts";
import { RoundAuditPage } from "../../../../../features/audit/round-audit.tsx";

export const metadata: Metadata = { title: "Audit of a round" };

export default async function Page({ params }: { readonly params: Promise<{ id: string }> }) {
  const roundId = roundIdSchema.safeParse((await params).id);
  if (!roundId.success) notFound();
  return <RoundAuditPage roundId={roundId.data} />;
}
