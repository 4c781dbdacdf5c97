"use client";
import type { DraftProblem } from "#shared/sample/draft-problem.ts";
import { Button } from "../../ui/button.tsx";
import { dockWords } from "../../words/workshop.ts";
import type { Workshop } from "./use-workshop.ts";
import { fieldId } from "./wrong.tsx";

interface DockProps {
  readonly workshop: Workshop;
  readonly problems: readonly DraftProblem[];
  readonly isPublishing: boolean;
  /** Why publishing is off although nothing is missing; null if it is not. */
  readonly obstacle: string | null;
  readonly onPublish: () => void;
}

/** The bottom line: what is missing, each a link, and the act. */
export function Dock({ workshop, problems, isPublishing, obstacle, onPublish }: DockProps) {
  const { draft, version } = workshop;
  const words = dockWords(draft, problems);
  const isReady = draft !== null && problems.length === 0 && obstacle === null;
  const publish = () => {
    workshop.tryToPublish();
    const [first] = problems;
    if (first !== undefined) goTo(first.part, first.field);
    else if (isReady) onPublish();
  };
  return (
    <section className="dock" aria-label="Before you publish">
      <div>
        <p role="status">
          {obstacle !== null && problems.length === 0 ? (
            obstacle
          ) : (
            <>
              <b className="font-semibold">{words.start}</b>
              {words.links.map((link, at) => (
                <span key={link.field}>
                  {at === 0 ? " " : at === words.links.length - 1 && words.end === "." ? " and " : ", "}
                  <a
                    href={`#part-${link.part}`}
                    onClick={(event) => {
                      event.preventDefault();
                      workshop.tryToPublish();
                      goTo(link.part, link.field);
                    }}
                  >
                    {link.words}
                  </a>
                </span>
              ))}
              {words.end}
            </>
          )}
        </p>
        <div className="flex gap-3">
          {draft !== null && <Button onClick={workshop.keepNow}>Save draft</Button>}
          <Button kind="main" aria-disabled={!isReady || isPublishing} onClick={publish} className="flex-1">
            {isPublishing ? "Publishing" : draft === null ? "Publish" : `Publish version ${version}`}
          </Button>
        </div>
      </div>
    </section>
  );
}

/** The input of a field, or the part that it is in; rendering comes first, because trying shows what is missing. */
function goTo(part: number, field: string): void {
  requestAnimationFrame(() => {
    const target = document.getElementById(fieldId(field)) ?? document.getElementById(`part-${part}`);
    target?.scrollIntoView({ block: "center" });
    target?.focus({ preventScroll: true });
  });
}
