import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { taskViewOf } from "#test/kit/web-views.ts";
import { InUseTable } from "#web/features/home/in-use-table.tsx";

const HASH = "ab".repeat(32);
const MADE = { version: 3, runId: "cd".repeat(16), runNumber: 1, round: 3, modelHash: HASH, taskVersion: 3 };

test("[V11] the first page leads from each model in use to its trial and to its files", () => {
  const linksOf = (inUse: object | null) => {
    const html = renderToStaticMarkup(
      <QueryClientProvider client={new QueryClient()}>
        <InUseTable tasks={[taskViewOf({ inUse })]} runs={[]} />
      </QueryClientProvider>,
    );
    expect(html.includes("Files of the model of digits")).toBe(inUse !== null);
    return [...html.matchAll(/href="([^"]+)"/g)].map(([, href]) => href);
  };
  const served = linksOf({ ...MADE, measures: null, alias: null });
  expect(served).toContain("/join/digits");
  expect(served).toContain("/models/digits#gates");
  expect(linksOf(null)).toEqual(["/tasks/digits"]);
});
