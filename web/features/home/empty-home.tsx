"use client";
import Link from "next/link";
import type { TaskView } from "#shared/protocol/api.ts";
import { useStatus } from "../../data/queries.ts";
import { CopyBox } from "../../ui/copy-button.tsx";
import { Section } from "../../ui/section.tsx";
import { JoinInvitation } from "../shell/join-invitation.tsx";

interface EmptyHomeProps {
  readonly tasks: readonly TaskView[];
  readonly mayCreate: boolean;
}

/** A system without runs: three ways in, each with a command or a link. */
export function EmptyHome({ tasks, mayCreate }: EmptyHomeProps) {
  const { data: status } = useStatus();
  const slug = tasks[0]?.task.slug;
  const edge = `npm run edge -- --coordinator ${status?.joinBaseUrl ?? "URL"} --task ${slug ?? "ID"} --data FILE`;
  return (
    <>
      <Section
        id="try"
        title="Try the demo"
        note="Eight devices on this machine learn to read digits. It asks nobody and sends nothing out."
      >
        <div className="grid gap-3.5">
          <p className="read">In the folder of Chorus, in a second terminal:</p>
          <CopyBox text="npm run demo -- --port 3001" what="the command" />
          <p className="note">
            It starts a coordinator of its own beside this one, with 8 devices and a run, and prints the link
            to open. Stop it with Ctrl-C; this system is not touched.
          </p>
        </div>
      </Section>
      <Section
        id="make"
        title={tasks.length > 0 ? "Launch a run" : "Make a task"}
        note="A task says what is learnt, from which columns, and what a device agrees to."
      >
        <div className="grid gap-3.5">
          {tasks.length > 0 ? (
            <p className="read">
              <a href="#launch">Launch</a> one of {tasks.length === 1 ? "this task" : "these tasks"}. A run
              waits until enough devices are ready, so you may launch before anyone has joined.
            </p>
          ) : (
            <>
              {mayCreate && (
                <>
                  <p className="read">
                    Begin with a sample, a CSV file or pictures. It is read in this browser and never sent.
                  </p>
                  <p>
                    <Link className="btn main" href="/tasks/new">
                      New task…
                    </Link>
                  </p>
                </>
              )}
              <p className="read">
                {mayCreate ? "Or start" : "Start"} this coordinator with a task that comes with Chorus:
              </p>
              <CopyBox text="npm run coordinator -- --task digits" what="the command" />
            </>
          )}
        </div>
      </Section>
      <Section id="bring" title="Then bring devices" note="Both ways ask for consent first.">
        <div className="cols2">
          <div className="grid content-start gap-3.5">
            <h3>In a browser</h3>
            {status !== undefined && slug !== undefined ? (
              <JoinInvitation status={status} task={slug} />
            ) : (
              <p className="text-ink-2">The link and its QR code stand here with the first task.</p>
            )}
          </div>
          <div className="grid content-start gap-3.5">
            <h3>On a server or at a clinic</h3>
            <CopyBox text={edge} what="the command" />
            <p className="note">
              If the task is by invitation, a join token from <a href="/admin">Admin</a> goes into{" "}
              <code>CHORUS_TOKEN</code>.
            </p>
          </div>
        </div>
      </Section>
      {tasks.length === 0 && (
        <Section id="later" title="Where runs will be">
          <p className="read text-ink-2">
            Launch appears here with the first task. A run waits until enough devices are ready, so you may
            launch before anyone has joined.
          </p>
        </Section>
      )}
    </>
  );
}
