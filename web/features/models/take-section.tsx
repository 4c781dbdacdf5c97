"use client";
import type { TaskView } from "#shared/protocol/api.ts";
import { versionFileUrl } from "../../data/models.ts";
import { usePortability, useStatus } from "../../data/queries.ts";
import { CodeLines } from "../../ui/code-lines.tsx";
import { Section } from "../../ui/section.tsx";
import { useAnchor } from "../../ui/use-anchor.ts";
import { exportSnippets, int8Words, loadSnippet } from "../../words/exports.ts";
import { takeNote } from "../../words/models.ts";
import { FileList } from "../run/file-list.tsx";

/** The model in use in the formats of other tools, and the lines that use it. */
export function TakeSection({ view }: { readonly view: TaskView }) {
  useAnchor("take");
  const { task, inUse, settings } = view;
  const { data: status } = useStatus();
  const { data } = usePortability(task.slug, inUse?.version ?? null);
  if (inUse == null) return null;
  const { version, runNumber: number, round: newestVersion } = inUse;
  const model = { task: task.slug, number, newestVersion };
  const { python } = exportSnippets(model, task.features);
  const reference = `${task.slug}@${inUse.alias ?? version}`;
  return (
    <Section id="take" title="Take it with you" note={takeNote(inUse)}>
      <div className="cols2">
        <FileList
          model={model}
          version={version}
          urlOf={(format) => versionFileUrl(task.slug, version, format)}
          int8={data === undefined ? null : int8Words(data)}
        />
        <div className="grid min-w-0 content-start gap-4">
          <CodeLines language="Python" text={python} />
          {settings?.joining === "public" && status !== undefined && (
            <CodeLines
              language="JavaScript, on any page"
              text={loadSnippet(status.joinBaseUrl, reference, task.features)}
            />
          )}
        </div>
      </div>
    </Section>
  );
}
