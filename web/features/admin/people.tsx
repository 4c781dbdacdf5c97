"use client";
import type { OwnSession, PersonView, ProposalView } from "#shared/protocol/access-api.ts";
import { usePeople, useProposals } from "../../data/access-queries.ts";
import { erasePerson } from "../../data/admin.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import {
  ERASE_PERSON_WORDS,
  lastSeenWords,
  namesAmong,
  personErasedEntry,
  rolesWords,
  signsInWords,
} from "../../words/access.ts";
import { formatDay } from "../../words/format.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { DeedLink, type Deeds, Said, useDeeds } from "./deeds.tsx";
import { Erase } from "./erase.tsx";
import { Propose } from "./propose.tsx";
import { RoleEditor } from "./role-editor.tsx";

const SECTION = "people";

interface PeopleProps {
  readonly me: OwnSession;
  readonly projects: readonly string[];
}

/** People with an account and their roles. */
export function People({ me, projects }: PeopleProps) {
  const people = usePeople();
  const { data: proposals = [] } = useProposals();
  const deeds = useDeeds(SECTION);
  return (
    <Section
      id={SECTION}
      title="People"
      note="Names as they stand in the log. A role holds for one project; admins may do what researchers of any project may. Times are UTC."
    >
      <QueryGate query={people} what="the people">
        {(rows) => <PeopleTable {...{ me, projects, proposals, deeds }} people={rows} />}
      </QueryGate>
      <Said deeds={deeds} />
    </Section>
  );
}

interface PeopleTableProps extends PeopleProps {
  readonly people: readonly PersonView[];
  readonly proposals: readonly ProposalView[];
  readonly deeds: Deeds;
}

function PeopleTable({ me, projects, people, proposals, deeds }: PeopleTableProps) {
  const adminCount = people.filter(({ isAdmin }) => isAdmin).length;
  const waits = ({ personId }: PersonView) =>
    proposals.some(({ act, end }) => end === null && "personId" in act && act.personId === personId);
  const row = (person: PersonView) => ({ deeds, row: person.personId, about: person.name });
  return (
    <DataTable
      caption="People"
      records
      rows={people}
      rowKey={({ personId }) => personId}
      columns={[
        {
          label: "Name",
          cell: ({ name, personId }) => (
            <>
              <b className="wrap-anywhere">{name}</b>
              {personId === me.personId && ", you"}
            </>
          ),
        },
        {
          label: "Roles",
          cell: (person) => (
            <>
              {rolesWords(person)}
              {waits(person) && <span className="note block">a proposal waits</span>}
            </>
          ),
        },
        { label: "Signs in with", cell: ({ signsInWith }) => signsInWords(signsInWith) },
        {
          label: "Last seen",
          cell: ({ personId, lastSeenAt }) =>
            personId === me.personId ? "now" : lastSeenWords(lastSeenAt, Date.now()),
        },
        { label: "Since", cell: ({ madeAt }) => formatDay(madeAt) },
        {
          label: "Change",
          hiddenLabel: true,
          cell: (person) => (
            <span className="flex flex-wrap gap-x-4">
              <DeedLink {...row(person)} what="roles">
                Change roles
              </DeedLink>
              {person.isAdmin && adminCount > 1 && !waits(person) && (
                <DeedLink {...row(person)} what="take">
                  Propose to take the role…
                </DeedLink>
              )}
              {!person.isAdmin && adminCount > 1 && !waits(person) && (
                <DeedLink {...row(person)} what="give">
                  Propose as admin…
                </DeedLink>
              )}
              {!person.isAdmin && (
                <DeedLink {...row(person)} what="erase">
                  Erase…
                </DeedLink>
              )}
            </span>
          ),
        },
      ]}
      under={(person) => under({ person, me, projects, people, deeds, mayMakeAdmin: adminCount === 1 })}
    />
  );
}

interface UnderProps extends Omit<PeopleTableProps, "proposals"> {
  readonly person: PersonView;
  readonly mayMakeAdmin: boolean;
}

/** The question that is open about a person; null if there is none. */
function under({ person, me, projects, people, deeds, mayMakeAdmin }: UnderProps) {
  const { personId } = person;
  if (deeds.isOpen(personId, "roles"))
    return (
      <RoleEditor
        {...{ person, projects, mayMakeAdmin }}
        me={me.name}
        onClose={(said) => deeds.close(said)}
      />
    );
  if (deeds.isOpen(personId, "erase"))
    return (
      <Erase
        entry={personErasedEntry(person.name, me.name)}
        words={ERASE_PERSON_WORDS}
        erase={() => erasePerson(personId)}
        onClose={(said) => deeds.close(said)}
      />
    );
  const what = (["give", "take"] as const).find((verb) => deeds.isOpen(personId, verb));
  if (what === undefined) return null;
  return (
    <Propose
      act={{ type: `${what}-admin-role`, personId }}
      me={me.name}
      personOf={namesAmong(people)}
      onClose={(said) => deeds.close(said)}
    />
  );
}
