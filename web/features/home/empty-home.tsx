"use client";
import Link from "next/link";
import type { TaskView } from "#shared/protocol/api.ts";
import { useSession } from "../../data/access-queries.ts";
import { useStatus } from "../../data/queries.ts";
import { CopyBox } from "../../ui/copy-button.tsx";
import { Section } from "../../ui/section.tsx";
import { JoinInvitation } from "../shell/join-invitation.tsx";

const ADMIN = { href: "/admin", label: "Admin" };
const DEVICES = { href: "/devices", label: "Devices" };

interface EmptyHomeProps {
  readonly tasks: readonly TaskView[];
  readonly mayCreate: boolean;
  /** One of the tasks. */
  readonly mayLaunch: boolean;
}

/** A system without runs: three ways in, each with a command or a link. */
export function EmptyHome({ tasks, mayCreate, mayLaunch }: EmptyHomeProps) {
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
      {/* Whoever may launch does it beside this. */}
      {tasks.length > 0 && !mayLaunch && <LaunchByOthers count={tasks.length} />}
      {tasks.length === 0 && <MakeTask mayCreate={mayCreate} />}
      <BringDevices slug={tasks[0]?.task.slug} />
      {tasks.length === 0 && (
        <Section id="later" title="Where runs will be">
          <p className="read text-ink-2">
            {mayCreate
              ? "Launch appears here with the first task."
              : "Runs appear here once a researcher has launched one."}{" "}
            A run waits until enough devices are ready, so it may be launched before anyone has joined.
          </p>
        </Section>
      )}
    </>
  );
}

const TASK_NOTE = "A task says what is learnt, from which columns, and what a device agrees to.";

function LaunchByOthers({ count }: { readonly count: number }) {
  return (
    <Section id="make" title="A run" note={TASK_NOTE}>
      <p className="read">
        A researcher of its project launches {count === 1 ? "this task" : "one of these tasks"}. A run waits
        until enough devices are ready, so it may be launched before anyone has joined.
      </p>
    </Section>
  );
}

function MakeTask({ mayCreate }: { readonly mayCreate: boolean }) {
  return (
    <Section id="make" title={mayCreate ? "Make a task" : "A task"} note={TASK_NOTE}>
      <div className="grid gap-3.5">
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
      </div>
    </Section>
  );
}

function BringDevices({ slug }: { readonly slug: string | undefined }) {
  const { data: status } = useStatus();
  const { data: session } = useSession();
  const has = (permission: string) => session?.permissions.includes(permission) ?? false;
  const tokensAt = has("people.read") ? ADMIN : has("join-tokens.manage") ? DEVICES : null;
  const edge = `npm run edge -- --coordinator ${status?.joinBaseUrl ?? "URL"} --task ${slug ?? "ID"} --data FILE`;
  return (
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
            If the task is by invitation, a join token goes into <code>CHORUS_TOKEN</code>.
            {tokensAt !== null && (
              <>
                {" "}
                It is made under <a href={tokensAt.href}>{tokensAt.label}</a>.
              </>
            )}
          </p>
        </div>
      </div>
    </Section>
  );
}
