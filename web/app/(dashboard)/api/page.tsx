import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Metadata } from "next";
import { ApiPage } from "../../../features/api/api-page.tsx";

export const metadata: Metadata = { title: "API" };

const EXAMPLES = [
  { language: "TypeScript", file: "train.ts" },
  { language: "Python", file: "train.py" },
  { language: "curl", file: "train.sh" },
];

/** The same files that a test runs against a coordinator. The process is started in the repository's root. */
export default async function Page() {
  const examples = await Promise.all(
    EXAMPLES.map(async ({ language, file }) => ({
      language,
      file,
      text: await readFile(join(process.cwd(), "examples", "api", file), "utf8"),
    })),
  );
  return <ApiPage examples={examples} />;
}
