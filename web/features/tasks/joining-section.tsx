"use client";
import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import type { TaskView } from "#shared/protocol/api.ts";
import { useJoinTokens, useSession } from "../../data/access-queries.ts";
import { changeSettings } from "../../data/api.ts";
import { useStatus } from "../../data/queries.ts";
import { Choice } from "../../ui/choice.tsx";
import { Section } from "../../ui/section.tsx";
import { placesSentence } from "../../words/tasks.ts";
import { JoinInvitation } from "../shell/join-invitation.tsx";
import { FailureNote } from "../shell/query-gate.tsx";

/** How many places join tokens made, and how many are taken: counts, never a list. */
function Places({ slug }: { readonly slug: string }) {
  const { data: session } = useSession();
  const mayRead = session?.permissions.includes("join-tokens.read") ?? false;
  return mayRead ? <PlacesOf slug={slug} /> : null;
}

function PlacesOf({ slug }: { readonly slug: string }) {
  const { data: tokens } = useJoinTokens();
  if (tokens === undefined) return null;
  return <p className="note">{placesSentence(tokens, slug, Date.now())}</p>;
}

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
    <Section id="joining" title="Who may join" note="Only counts are kept, never a list of devices.">
      <div className="cols2">
        <div className="grid content-start gap-4">
          <fieldset className="choices" aria-label="Who may join" disabled={!mayChange || change.isPending}>
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
          {joining === "invitation" && <Places slug={task.slug} />}
          {change.error !== null && <FailureNote error={change.error} />}
        </div>
        {status !== undefined && <JoinInvitation status={status} task={task.slug} />}
      </div>
    </Section>
  );
}
