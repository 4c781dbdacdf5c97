"use client";
import Link from "next/link";
import { useState } from "react";
import { projectSentence } from "#shared/project/sentences.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import { useJoinTokens } from "../../data/access-queries.ts";
import { changeSettings } from "../../data/api.ts";
import { useMay } from "../../data/may.ts";
import { useStatus } from "../../data/queries.ts";
import { Choice } from "../../ui/choice.tsx";
import { Section } from "../../ui/section.tsx";
import {
  JOINING_NOTE,
  type Joining,
  joiningQuestion,
  joiningSentence,
  placesSentence,
} from "../../words/tasks.ts";
import { Deed } from "../admin/deeds.tsx";
import { useAct } from "../doors/use-act.tsx";
import { JoinInvitation } from "../shell/join-invitation.tsx";

/** How many places join tokens made, and how many are taken: counts, never a list. */
function PlacesOf({ slug }: { readonly slug: string }) {
  const { data: tokens } = useJoinTokens();
  if (tokens === undefined) return null;
  return <p className="note">{placesSentence(tokens, slug, Date.now())}</p>;
}

interface JoiningSectionProps {
  readonly view: TaskView;
  /** The reader's name if they may change it, else null. */
  readonly me: string | null;
  readonly onChange: () => void;
}

/** Who may take part, and the link for them. */
export function JoiningSection({ view, me, onChange }: JoiningSectionProps) {
  const { data: status } = useStatus();
  const may = useMay();
  const { slug } = view.task;
  const joining = view.settings?.joining ?? "public";
  return (
    <Section id="joining" title="Who may join" note={JOINING_NOTE}>
      <div className="cols2">
        <div className="grid content-start gap-4">
          {me === null ? (
            <p className="read">{joiningSentence(joining)}</p>
          ) : (
            <ChangeJoining slug={slug} joining={joining} me={me} onChange={onChange} />
          )}
          {joining === "invitation" && may("join-tokens.read", view) && <PlacesOf slug={slug} />}
        </div>
        {status !== undefined && <JoinInvitation status={status} task={slug} />}
      </div>
    </Section>
  );
}

interface ChangeJoiningProps {
  readonly slug: TaskSlug;
  readonly joining: Joining;
  readonly me: string;
  readonly onChange: () => void;
}

/** Choosing the other asks first, because a task that anyone may join cannot be taken back from those who did. */
function ChangeJoining({ slug, joining, me, onChange }: ChangeJoiningProps) {
  const [chosen, setChosen] = useState<Joining | null>(null);
  const wanted = chosen ?? joining;
  const act = useAct(
    (to: Joining) => changeSettings(slug, { joining: to }),
    () => {
      setChosen(null);
      onChange();
    },
  );
  const choice = (value: Joining) => ({
    name: "joining",
    checked: wanted === value,
    onChoose: () => setChosen(value),
  });
  const changes = { joining: wanted };
  return (
    <div className="grid content-start gap-4">
      <fieldset className="choices" aria-label="Who may join" disabled={act.isPending}>
        <Choice {...choice("public")} title="Anyone with the address">
          The task stands in the public list.
        </Choice>
        <Choice {...choice("invitation")} title="By invitation">
          Only who holds a join token. They are made under <Link href="/devices">Devices</Link>.
        </Choice>
      </fieldset>
      {wanted !== joining && (
        <Deed
          entries={[projectSentence({ type: "task-settings-changed", slug, changes, actor: me })]}
          act={act}
          doLabel={wanted === "public" ? "Open it to anyone" : "Close it to others"}
          onDo={() => act.run(wanted)}
          onKeep={() => setChosen(null)}
          narrow
        >
          <p className="read">{joiningQuestion(wanted)}</p>
        </Deed>
      )}
    </div>
  );
}
