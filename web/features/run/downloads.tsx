"use client";
import type { RunView } from "#shared/protocol/api.ts";
import type { Features } from "#shared/task/features.ts";
import { exportUrl } from "../../data/api.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { FocusBox } from "../../ui/focus-box.tsx";
import { EXPORT_WORDS, exportSnippets, newestFileName } from "../../words/exports.ts";

/** The newest model of a run in the formats of other tools, and the lines that use it. */
export function Downloads({ run, features }: { readonly run: RunView; readonly features: Features }) {
  const { python, javascript } = exportSnippets(run, features);
  return (
    <div className="grid gap-4">
      <ul className="grid gap-2">
        {EXPORT_WORDS.map(({ format, title, what }) => (
          <li key={format}>
            <a href={exportUrl(run.runId, format)} download={newestFileName(run, format)}>
              {title}
            </a>{" "}
            <span className="text-ink-2">{what}</span>
          </li>
        ))}
      </ul>
      <Lines language="Python" text={python} />
      <Lines language="JavaScript" text={javascript} />
    </div>
  );
}

function Lines({ language, text }: { readonly language: string; readonly text: string }) {
  return (
    <details>
      <summary>Use it in {language}</summary>
      <div className="grid gap-3 pt-3">
        <FocusBox label={`${language} lines`} className="overflow-x-auto rounded-sm bg-wash px-3 py-2.5">
          <pre className="text-sm">
            <code>{text}</code>
          </pre>
        </FocusBox>
        <CopyButton text={text} what={`the ${language} lines`} />
      </div>
    </details>
  );
}
