"use client";
import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import type { TaskView } from "#shared/protocol/api.ts";
import { changeSettings } from "../../data/api.ts";
import { useStatus } from "../../data/queries.ts";
import { Choice } from "../../ui/choice.tsx";
import { Section } from "../../ui/section.tsx";
import { JOINING_NOTE, joiningSentence } from "../../words/tasks.ts";
import { JoinInvitation } from "../shell/join-invitation.tsx";
import { FailureNote } from "../shell/query-gate.tsx";

interface JoiningSectionProps {
  readonly view: TaskView;
  readonly mayChange: boolean;
  readonly onChange: () => void;
}

/** Who may take part, and the link for them. */
export function JoiningSection({ view, mayChange, onChange }: JoiningSectionProps) {
  const { task, settings } = view;
  const { data: status } = useStatus();
  const joining = settings?.joining ?? "public";
  const change = useMutation({
    mutationFn: (to: "public" | "invitation") => changeSettings(task.slug, { joining: to }),
    onSuccess: onChange,
  });
  return (
    <Section id="joining" title="Who may join" note={JOINING_NOTE}>
      <div className="cols2">
        <div className="grid content-start gap-4">
          {!mayChange && <p className="read">{joiningSentence(joining)}</p>}
          {mayChange && (
            <fieldset className="choices" aria-label="Who may join" disabled={change.isPending}>
              <Choice
                name="joining"
                title="Anyone with the address"
                checked={joining === "public"}
                onChoose={() => change.mutate("public")}
              >
                The task stands in the public list.
              </Choice>
              <Choice
                name="joining"
                title="By invitation"
                checked={joining === "invitation"}
                onChoose={() => change.mutate("invitation")}
              >
                Only who holds a join token. They are made under <Link href="/devices">Devices</Link>.
              </Choice>
            </fieldset>
          )}
          {change.error !== null && <FailureNote error={change.error} />}
        </div>
        {status !== undefined && <JoinInvitation status={status} task={task.slug} />}
      </div>
    </Section>
  );
}
