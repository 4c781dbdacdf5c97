"use client";
import type { OwnSession } from "#shared/protocol/access-api.ts";
import {
  useAllTokens,
  useOperations,
  usePeople,
  useProjects,
  useProposals,
} from "../../data/access-queries.ts";
import { adminLead, namesAmong } from "../../words/access.ts";
import { WithSession } from "../shell/with-session.tsx";
import { AllApiTokens } from "./api-tokens.tsx";
import { DataKept } from "./data-kept.tsx";
import { Invitations } from "./invitations.tsx";
import { JoinTokens } from "./join-tokens.tsx";
import { Operations } from "./operations.tsx";
import { People } from "./people.tsx";
import { Projects } from "./projects.tsx";
import { Proposals } from "./proposals.tsx";
import { Sites } from "./sites.tsx";

const SECTIONS = [
  ["two", "Two people"],
  ["people", "People"],
  ["invitations", "Invitations"],
  ["sites", "Sites"],
  ["join-tokens", "Join tokens"],
  ["api-tokens", "API tokens"],
  ["projects", "Projects"],
  ["data", "Data"],
  ["operations", "Operations"],
] as const;

/** `/admin`: who may do what, and how the machine is. */
export function Admin() {
  return <WithSession needs="people.read">{(me) => <AdminOf me={me} />}</WithSession>;
}

function AdminOf({ me }: { readonly me: OwnSession }) {
  const { data: people = [] } = usePeople();
  const { data: made } = useProjects();
  const projects = (made ?? me.projects).map(({ projectId }) => projectId);
  const personOf = namesAmong(people);
  return (
    <>
      <div className="grid gap-4 pt-7 pb-9">
        <h1>Admin</h1>
        <Lead me={me.name} />
        <nav aria-label="Sections" className="flex flex-wrap gap-x-6 text-sm">
          {SECTIONS.map(([id, label]) => (
            <a key={id} href={`#${id}`} className="link">
              {label}
            </a>
          ))}
        </nav>
      </div>
      <Proposals me={me.name} personOf={personOf} />
      <People me={me} projects={projects} />
      <Invitations me={me} projects={projects} />
      <Sites me={me} projects={projects} />
      <JoinTokens me={me} projects={projects} />
      <AllApiTokens me={me} />
      <Projects me={me.name} personOf={personOf} />
      <DataKept />
      <Operations />
    </>
  );
}

function Lead({ me }: { readonly me: string }) {
  const { data: proposals } = useProposals();
  const { data: tokens } = useAllTokens();
  const { data: backup = null } = useOperations();
  if (proposals === undefined || tokens === undefined) return <p className="lead min-h-9" />;
  return <p className="lead">{adminLead({ proposals, tokens, backup }, me, Date.now())}</p>;
}
