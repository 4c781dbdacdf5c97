import type { Metadata } from "next";
import { LearntPage } from "../../../../features/learnt/learnt-page.tsx";

interface Props {
  readonly params: Promise<{ readonly task: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { task } = await params;
  return { title: `What the coordinator could learn: ${task}` };
}

export default async function Page({ params }: Props) {
  const { task } = await params;
  return <LearntPage slug={task} />;
}
