"use client";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { TaskView } from "#shared/protocol/api.ts";
import { archiveTask } from "../../data/held-out.ts";
import { useArchiveView } from "../../data/queries.ts";
import { Button } from "../../ui/button.tsx";
import { LogEntry } from "../../ui/log-entry.tsx";
import { Section } from "../../ui/section.tsx";
import { ARCHIVE_NOTE } from "../../words/tasks.ts";
import { FailureNote } from "../shell/query-gate.tsx";

/** Takes a task off the list, after showing what the log will say of it. */
export function ArchiveSection({
  view,
  onChange,
}: {
  readonly view: TaskView;
  readonly onChange: () => void;
}) {
  const { slug } = view.task;
  const { data } = useArchiveView(slug, true);
  const [isAsking, setAsking] = useState(false);
  const archive = useMutation({
    mutationFn: () => archiveTask(slug),
    onSuccess: () => {
      setAsking(false);
      onChange();
    },
  });
  const isArchived = view.archived != null;
  return (
    <Section id="archive" title="Archive">
      <div className="cols2">
        <div className="grid content-start gap-4">
          <p className="text-sm text-ink-2">
            {isArchived ? "This task is archived. A new version takes it up again." : ARCHIVE_NOTE}
          </p>
          {!isArchived && !isAsking && (
            <p>
              <Button kind="stop" onClick={() => setAsking(true)}>
                Archive {slug}…
              </Button>
            </p>
          )}
          {!isArchived && isAsking && (
            <div className="flex flex-wrap gap-3">
              <Button kind="stop" disabled={archive.isPending} onClick={() => archive.mutate()}>
                {archive.isPending ? "Archiving" : `Archive ${slug} now`}
              </Button>
              <Button onClick={() => setAsking(false)}>Leave it open</Button>
            </div>
          )}
          {archive.error !== null && <FailureNote error={archive.error} />}
        </div>
        {data !== undefined && <LogEntry sentences={[data.sentence]} isKept={isArchived} />}
      </div>
    </Section>
  );
}
