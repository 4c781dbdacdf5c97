import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import { ModelPage } from "../../../../features/models/model-page.tsx";

export const metadata: Metadata = { title: "Model" };

/** Also takes the reference that a script loads a model by: /models/digits@champion shows the models of digits. */
export default async function Page({ params }: { readonly params: Promise<{ slug: string }> }) {
  const [name = ""] = decodeURIComponent((await params).slug).split("@");
  const slug = taskSlugSchema.safeParse(name);
  if (!slug.success) notFound();
  return <ModelPage slug={slug.data} />;
}
