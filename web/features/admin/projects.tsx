"use client";
import { type FormEvent, useState } from "react";
import type { Names } from "#shared/access/sentences.ts";
import { useProjects } from "../../data/access-queries.ts";
import { makeProject } from "../../data/admin.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { LogNote } from "../../ui/log-entry.tsx";
import { Section } from "../../ui/section.tsx";
import { AS_TYPED, TextInput } from "../../ui/text-input.tsx";
import { madeWords, projectEntry } from "../../words/access.ts";
import { projectProblem } from "../../words/doors.ts";
import { formatCount } from "../../words/format.ts";
import { ActStates, useAct } from "../doors/use-act.tsx";
import { QueryGate } from "../shell/query-gate.tsx";
import { DeedLink, Said, useDeeds } from "./deeds.tsx";
import { Propose } from "./propose.tsx";

const SECTION = "projects";

interface ProjectsProps {
  readonly me: string;
  readonly personOf: Names["personOf"];
}

/** Projects: what roles and tokens are for. */
export function Projects({ me, personOf }: ProjectsProps) {
  const projects = useProjects();
  const deeds = useDeeds(SECTION);
  return (
    <Section
      id={SECTION}
      title="Projects"
      note="Tasks belong to a project, and roles hold for one. Deleting a project’s data takes two people."
    >
      <div className="grid gap-4">
        <ProjectForm me={me} />
        <QueryGate query={projects} what="the projects">
          {(rows) => (
            <DataTable
              caption="Projects"
              records
              rows={rows}
              rowKey={({ projectId }) => projectId}
              columns={[
                { label: "Project", cell: ({ projectId }) => <b className="wrap-anywhere">{projectId}</b> },
                { label: "Tasks", numeric: true, cell: ({ taskCount }) => formatCount(taskCount) },
                { label: "Made by", cell: ({ madeBy, madeAt }) => madeWords(madeBy, madeAt, me, Date.now()) },
                {
                  label: "Change",
                  hiddenLabel: true,
                  cell: ({ projectId }) => (
                    <DeedLink deeds={deeds} row={projectId} what="delete" about={projectId}>
                      Propose to delete its data…
                    </DeedLink>
                  ),
                },
              ]}
              under={({ projectId }) =>
                deeds.isOpen(projectId, "delete") ? (
                  <Propose
                    act={{ type: "delete-project-data", projectId }}
                    me={me}
                    personOf={personOf}
                    onClose={(said) => deeds.close(said)}
                  />
                ) : null
              }
            />
          )}
        </QueryGate>
        <Said deeds={deeds} />
      </div>
    </Section>
  );
}

function ProjectForm({ me }: { readonly me: string }) {
  const [projectId, setProjectId] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const act = useAct(makeProject, () => setProjectId(""));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const problem = projectProblem(projectId);
    setWrong(problem);
    if (problem === null) act.run(projectId);
    else document.getElementById("new-project")?.focus();
  };
  return (
    <>
      <form className="grid gap-3" onSubmit={submit} noValidate>
        <div className="grid items-start gap-x-4 gap-y-3 md:grid-cols-[20rem_auto] md:justify-start">
          <TextInput
            id="new-project"
            label="Name of a new project"
            value={projectId}
            onValue={setProjectId}
            error={wrong}
            maxLength={64}
            autoComplete="off"
            {...AS_TYPED}
          />
          <Button type="submit" disabled={act.isPending} className="md:mt-6">
            Make a project
          </Button>
        </div>
        {projectId !== "" && <LogNote sentence={projectEntry(projectId, me)} />}
      </form>
      <ActStates {...act.states} />
    </>
  );
}
