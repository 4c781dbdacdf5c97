import type { Metadata } from "next";
import { JoinPage } from "../../../features/join/join-page.tsx";

interface Props {
  readonly params: Promise<{ readonly task: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { task } = await params;
  return { title: `Take part: ${task}` };
}

export default async function Page({ params }: Props) {
  const { task } = await params;
  return <JoinPage slug={task} />;
}
