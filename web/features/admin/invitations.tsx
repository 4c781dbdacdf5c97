"use client";
import { type FormEvent, useState } from "react";
import type { Role } from "#shared/access/roles.ts";
import { roleName } from "#shared/access/sentences.ts";
import type { InvitationView, OwnSession } from "#shared/protocol/access-api.ts";
import { useInvitations } from "../../data/access-queries.ts";
import { invite, withdrawInvitation } from "../../data/admin.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Field } from "../../ui/field.tsx";
import { LogNote } from "../../ui/log-entry.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import { invitationState, invitedEntry, madeWords, withdrawnEntry } from "../../words/access.ts";
import { formatWhen } from "../../words/format.ts";
import { ActStates, useAct } from "../doors/use-act.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { Deed, DeedLink, type Deeds, Said, useDeeds } from "./deeds.tsx";
import { ProjectSelect } from "./project-select.tsx";
import { Secret } from "./secret.tsx";

const SECTION = "invitations";

interface InvitationsProps {
  readonly me: OwnSession;
  readonly projects: readonly string[];
}

/** Invitations of people. */
export function Invitations({ me, projects }: InvitationsProps) {
  const invitations = useInvitations();
  const deeds = useDeeds(SECTION);
  const [url, setUrl] = useState<string | null>(null);
  const act = useAct(invite, (made) => setUrl(made.url));
  return (
    <Section
      id={SECTION}
      title="Invitations"
      note="For people. Each works once and for 72 h. The link is shown once; only its fingerprint is kept."
    >
      <div className="grid gap-4">
        <InviteForm me={me.name} projects={projects} isPending={act.isPending} onInvite={act.run} />
        <ActStates {...act.states} />
        {url !== null && (
          <Secret parts={[{ what: "the link", text: url }]} onDone={() => setUrl(null)}>
            Send this link to one person. Whoever uses it first gets the role.
          </Secret>
        )}
        <QueryGate query={invitations} what="the invitations">
          {(rows) => <InvitationTable {...{ rows, deeds }} me={me.name} onAgain={act.run} />}
        </QueryGate>
        <Said deeds={deeds} />
      </div>
    </Section>
  );
}

type Invite = Parameters<typeof invite>[0];

const ROLES = ["researcher", "auditor", "admin"] as const;

function InviteForm(props: {
  readonly me: string;
  readonly projects: readonly string[];
  readonly isPending: boolean;
  readonly onInvite: (invitation: Invite) => void;
}) {
  const { me, projects, isPending, onInvite } = props;
  const [kind, setKind] = useState<Role["role"]>("researcher");
  const [chosen, setChosen] = useState<string | null>(null);
  const [note, setNote] = useState("");
  const projectId = chosen ?? projects[0] ?? "";
  const role: Role = kind === "admin" ? { role: kind } : { role: kind, projectId };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onInvite({ role, note });
  };
  return (
    <form className="grid gap-3" onSubmit={submit}>
      <div className="grid grid-cols-2 items-end gap-x-4 gap-y-3 md:grid-cols-[9rem_11rem_minmax(0,14rem)_auto] md:justify-start">
        <Field label="Role" htmlFor="invite-role">
          <select
            id="invite-role"
            value={kind}
            onChange={(event) => setKind(ROLES.find((one) => one === event.target.value) ?? "researcher")}
          >
            {ROLES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </Field>
        {kind === "admin" ? (
          <p className="self-end py-2 text-sm text-ink-2">for all projects</p>
        ) : (
          <ProjectSelect id="invite-project" projects={projects} value={projectId} onValue={setChosen} />
        )}
        <TextInput
          id="invite-note"
          className="max-md:col-span-2"
          label="Note, for admins (optional)"
          value={note}
          onValue={setNote}
          maxLength={120}
        />
        <Button kind="main" type="submit" disabled={isPending} className="max-md:col-span-2">
          Make an invitation
        </Button>
      </div>
      <LogNote sentence={invitedEntry(role, me)} />
    </form>
  );
}

function InvitationTable(props: {
  readonly rows: readonly InvitationView[];
  readonly deeds: Deeds;
  readonly me: string;
  readonly onAgain: (invitation: Invite) => void;
}) {
  const { rows, deeds, me, onAgain } = props;
  const act = useAct(withdrawInvitation, () => deeds.close("Withdrawn. The link no longer works."));
  if (rows.length === 0) return <p className="note">Nobody was invited yet.</p>;
  return (
    <DataTable
      caption="Invitations"
      records
      rows={rows}
      rowKey={({ invitationId }) => invitationId}
      columns={[
        {
          label: "For",
          cell: ({ role, note }) => (
            <>
              {roleName(role)}
              {note !== "" && <span className="note block wrap-anywhere">{note}</span>}
            </>
          ),
        },
        {
          label: "State",
          cell: (row) => {
            const { mark, words } = invitationState(row);
            return <StatusMark kind={mark}>{words}</StatusMark>;
          },
        },
        { label: "Made by", cell: ({ madeBy, madeAt }) => madeWords(madeBy, madeAt, me, Date.now()) },
        { label: "Good until", cell: ({ endsAt }) => formatWhen(endsAt) },
        {
          label: "Change",
          hiddenLabel: true,
          cell: ({ state, invitationId, role, note }) => {
            if (state === "open")
              return (
                <DeedLink deeds={deeds} row={invitationId} what="withdraw" about={roleName(role)}>
                  Withdraw…
                </DeedLink>
              );
            if (state === "used") return null;
            return (
              <button type="button" className="link underline" onClick={() => onAgain({ role, note })}>
                Make it again<span className="sr-only"> for {roleName(role)}</span>
              </button>
            );
          },
        },
      ]}
      under={({ invitationId }) =>
        deeds.isOpen(invitationId, "withdraw") ? (
          <Deed
            entries={[withdrawnEntry(me)]}
            act={act}
            doLabel="Withdraw"
            stops
            onDo={() => act.run(invitationId)}
            onKeep={() => deeds.close()}
          >
            <p>Its link stops working at once. You can make another.</p>
          </Deed>
        ) : null
      }
    />
  );
}
