"use client";
import { useState } from "react";
import { claimSetup } from "../../data/access.ts";
import { useSetup } from "../../data/access-queries.ts";
import { LogEntry } from "../../ui/log-entry.tsx";
import { AS_TYPED, TextInput } from "../../ui/text-input.tsx";
import { projectProblem, setupEntry, setupLead } from "../../words/doors.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { Door } from "./door.tsx";
import { NewAccount } from "./new-account.tsx";
import { useFragmentToken } from "./use-fragment-token.ts";

/** `/setup`: makes the first admin. The link that opens it is printed where the coordinator was started. */
export function Setup() {
  const setup = useSetup();
  const token = useFragmentToken("setup");
  if (setup.data?.isClaimed) return <Claimed hadLink={token !== null && token !== undefined} />;
  if (setup.data === undefined || token === undefined)
    return (
      <Door title="Set-up" lead="">
        <QueryGate query={setup} what="the state of this system">
          {() => null}
        </QueryGate>
      </Door>
    );
  if (token === null) return <NoLink />;
  return <SetupForm token={token} endsAt={setup.data.endsAt} />;
}

function Claimed({ hadLink }: { readonly hadLink: boolean }) {
  return (
    <Door title="This system is set up" lead="It has an admin, so set-up links no longer work.">
      {hadLink && (
        <p>
          This link has been used or was replaced. If that was not you, stop the coordinator now and look at
          its log.
        </p>
      )}
      <p>
        <a href="/sign-in">Sign in</a>, or ask an admin for an invitation.
      </p>
    </Door>
  );
}

function NoLink() {
  return (
    <Door
      title="This system has no admin yet"
      lead="Open the set-up link that the coordinator printed where it was started."
    >
      <p className="note">
        Only someone who can read that terminal has the link. If it is gone, start the coordinator again; it
        prints a new one.
      </p>
    </Door>
  );
}

function SetupForm({ token, endsAt }: { readonly token: string; readonly endsAt: string | null }) {
  const [name, setName] = useState("");
  const [projectId, setProjectId] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const check = () => {
    const found = projectProblem(projectId);
    setWrong(found);
    if (found !== null) document.getElementById("project")?.focus();
    return found === null;
  };
  return (
    <Door
      title="This system has no admin yet"
      lead={setupLead(endsAt, Date.now())}
      words={
        <>
          <p className="read">
            There is no default password, and until this is done no other page answers. The coordinator
            printed the link where it was started; only someone who can read that terminal has it.
          </p>
          <LogEntry level={2} sentences={[setupEntry(name || "…", projectId)]} />
        </>
      }
    >
      <NewAccount
        name={name}
        onName={setName}
        check={check}
        make={(credential) => claimSetup({ token, name, projectId, credential })}
      >
        <TextInput
          id="project"
          label="First project"
          value={projectId}
          onValue={setProjectId}
          error={wrong}
          maxLength={64}
          {...AS_TYPED}
        />
      </NewAccount>
    </Door>
  );
}
