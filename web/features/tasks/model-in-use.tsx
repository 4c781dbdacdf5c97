"use client";
import Link from "next/link";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { modelUrl } from "../../data/api.ts";
import { Section } from "../../ui/section.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { formatHash } from "../../words/format.ts";
import { headlineWords } from "../../words/measures.ts";
import { newestVersion } from "../../words/waiting.ts";

/** The model that browsers load today. */
export function ModelInUse({ view, runs }: { readonly view: TaskView; readonly runs: readonly RunView[] }) {
  const { task, latestModelHash, measures, measuredOn, heldOut } = view;
  const run = runs.find(({ roundsCommitted }) => roundsCommitted > 0);
  if (latestModelHash === null || run === undefined) {
    return (
      <Section id="model" title="Model in use" note="What browsers load today.">
        <EmptyNote>None yet. The first committed round of a run makes one.</EmptyNote>
      </Section>
    );
  }
  const onDevices = run.deviceHistory?.at(-1)?.measures ?? null;
  const { many } = task.exampleNoun;
  const isOther = measuredOn !== undefined && heldOut != null && measuredOn !== heldOut.hash;
  return (
    <Section id="model" title="Model in use" note="What browsers load today.">
      <p className="read mb-4">
        Version {newestVersion(run)}, from <Link href={`/runs/${run.runId}`}>run {run.number}</Link>.
      </p>
      <table className="records max-w-3xl">
        <caption className="sr-only">How the model in use was judged</caption>
        <thead>
          <tr>
            <th scope="col">Judged on</th>
            <th scope="col">Figure</th>
            <th scope="col">Who says so</th>
          </tr>
        </thead>
        <tbody>
          {measures !== null && (
            <tr>
              <td>
                {isOther ? "another held-out set" : "held-out set"}
                {measuredOn !== undefined && (
                  <>
                    {" "}
                    <code>{formatHash(measuredOn, 8)}</code>
                  </>
                )}
              </td>
              <td className={isOther ? "text-ink-3" : "text-sum"}>{headlineWords(measures, many)}</td>
              <td>the coordinator</td>
            </tr>
          )}
          <tr>
            <td>rows kept back on devices</td>
            <td className={onDevices === null ? "text-ink-3" : "text-sum"}>
              {onDevices === null ? "with the sum of the next round" : headlineWords(onDevices, many)}
            </td>
            <td>the sum of the devices of a round; nobody can check each</td>
          </tr>
        </tbody>
      </table>
      <p className="mt-4 flex flex-wrap gap-5 text-sm">
        <Link href={`/runs/${run.runId}`}>All versions of run {run.number}</Link>
        <a href={`/join/${task.slug}`}>Try it</a>
        <a href={modelUrl(latestModelHash)} download>
          Download
        </a>
      </p>
    </Section>
  );
}
