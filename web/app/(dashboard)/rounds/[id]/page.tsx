import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { roundIdSchema } from "#shared/protocol/ids.ts";
import { RoundPage } from "../../../../features/round/round-view.tsx";

export const metadata: Metadata = { title: "Round" };

export default async function Page({ params }: { readonly params: Promise<{ id: string }> }) {
  const roundId = roundIdSchema.safeParse((await params).id);
  if (!roundId.success) notFound();
  return <RoundPage roundId={roundId.data} />;
}
