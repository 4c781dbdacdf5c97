"use client";
import { Fragment, useState } from "react";
import { isSameRole, PROJECT_ROLES, type Role } from "#shared/access/roles.ts";
import type { PersonView } from "#shared/protocol/access-api.ts";
import { changeRoles } from "../../data/admin.ts";
import { roleChangeEntries, rolesOf } from "../../words/access.ts";
import { useAct } from "../doors/use-act.tsx";
import { Deed } from "./deeds.tsx";

interface RoleEditorProps {
  readonly person: PersonView;
  readonly projects: readonly string[];
  /** True while there is one admin, who makes the second alone. */
  readonly mayMakeAdmin: boolean;
  readonly me: string;
  readonly onClose: (said?: string) => void;
}

/** The roles of one person, by project, with what the log will keep of the change. */
export function RoleEditor({ person, projects, mayMakeAdmin, me, onClose }: RoleEditorProps) {
  const [roles, setRoles] = useState<readonly Role[]>(rolesOf(person));
  const act = useAct(
    () =>
      changeRoles(person.personId, {
        roles: roles.filter((role) => role.role !== "admin"),
        ...(!person.isAdmin && roles.some(({ role }) => role === "admin") ? { isAdmin: true as const } : {}),
      }),
    () => onClose(`The roles of ${person.name} are changed.`),
  );
  const has = (role: Role) => roles.some((known) => isSameRole(known, role));
  const toggle = (role: Role) =>
    setRoles(has(role) ? roles.filter((known) => !isSameRole(known, role)) : [...roles, role]);
  const box = (role: Role) => (
    <label className="flex min-h-8 items-center gap-2">
      <input type="checkbox" checked={has(role)} onChange={() => toggle(role)} />
      {role.role}
    </label>
  );
  return (
    <Deed
      entries={roleChangeEntries(person, roles, me)}
      note={
        <p>
          You may be asked for your passkey or password again. An auditor may read rounds that are kept;
          nobody reads a single device. What someone loses ends within 5 s.
        </p>
      }
      act={act}
      doLabel="Change"
      onDo={() => act.run(undefined)}
      onKeep={onClose}
    >
      <fieldset className="grid grid-cols-[auto_auto] items-center justify-start gap-x-5 gap-y-1 text-sm sm:grid-cols-[auto_auto_auto]">
        <legend className="sr-only">Roles of {person.name}</legend>
        {projects.map((projectId) => (
          <Fragment key={projectId}>
            <span className="text-ink-2 wrap-anywhere max-sm:col-span-2">{projectId}</span>
            {PROJECT_ROLES.map((role) => (
              <Fragment key={role}>{box({ role, projectId })}</Fragment>
            ))}
          </Fragment>
        ))}
        {mayMakeAdmin && !person.isAdmin && (
          <>
            <span className="text-ink-2 max-sm:col-span-2">all projects</span>
            {box({ role: "admin" })}
          </>
        )}
      </fieldset>
    </Deed>
  );
}
