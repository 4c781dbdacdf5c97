"use client";
import { projectsWhere } from "../../data/may.ts";
import { WithSession } from "../shell/with-session.tsx";
import { JoinTokens } from "./join-tokens.tsx";
import { Sites } from "./sites.tsx";

/** `/devices`: join tokens and sites, for researchers. Admins have both on their own page. */
export function Devices() {
  return (
    <WithSession needs="join-tokens.read">
      {(me) => (
        <>
          <div className="grid gap-4 pt-7 pb-9">
            <h1>Devices</h1>
            <p className="lead">A task by invitation takes a token. Public tasks take none.</p>
          </div>
          <JoinTokens me={me} projects={projectsWhere(me, "join-tokens.manage")} />
          <Sites me={me} projects={projectsWhere(me, "sites.manage")} />
        </>
      )}
    </WithSession>
  );
}
