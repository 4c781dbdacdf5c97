"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { acceptInvitation, lookAtInvitation } from "../../data/access.ts";
import { LogEntry } from "../../ui/log-entry.tsx";
import { invitedLead, invitedUntil, joinedEntry, roleMeans } from "../../words/doors.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { Door } from "./door.tsx";
import { NewAccount } from "./new-account.tsx";
import { useFragmentToken } from "./use-fragment-token.ts";

/** `/invited`: uses an invitation, whose secret is in the address's fragment. */
export function Invited() {
  const token = useFragmentToken("invitation");
  if (token === undefined)
    return (
      <Door title="Invitation" lead="">
        {null}
      </Door>
    );
  if (token === null)
    return (
      <Door title="Invitation" lead="Open the link that you were given, in full.">
        <p className="note">
          This page needs what stands after the # in the link. It is gone from the address bar once the page
          has read it.
        </p>
      </Door>
    );
  return <Invitation token={token} />;
}

function Invitation({ token }: { readonly token: string }) {
  const [name, setName] = useState("");
  const face = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => lookAtInvitation(token),
    retry: false,
  });
  const { data } = face;
  if (data === undefined)
    return (
      <Door title="Invitation" lead="">
        <QueryGate query={face} what="the invitation">
          {() => null}
        </QueryGate>
      </Door>
    );
  const { role, invitedBy, endsAt } = data;
  return (
    <Door
      title="You are invited"
      lead={invitedLead(role, invitedBy)}
      words={
        <>
          <p className="read">
            {roleMeans(role)} {invitedUntil(endsAt, Date.now())}
          </p>
          <LogEntry level={2} sentences={[joinedEntry(name || "…", role)]} />
        </>
      }
    >
      <NewAccount
        name={name}
        onName={setName}
        openId={(chosen) => ({ to: "/", invitation: { token, name: chosen } })}
        make={(credential) => acceptInvitation({ token, name, credential })}
      />
    </Door>
  );
}
