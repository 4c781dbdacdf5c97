import type { OwnAudit } from "../../data/log-messages.ts";
import { CommandLine } from "../../ui/command-line.tsx";
import { Section } from "../../ui/section.tsx";
import { bundleCommand, bundleName } from "../../words/audit.ts";

/** How to check the round without the coordinator's page. */
export function OfflineCheck({ audit }: { readonly audit: OwnAudit }) {
  const name = bundleName(audit.record);
  return (
    <Section
      id="offline"
      title="Without this page"
      note="This page comes from the coordinator; the command line does not."
    >
      <p className="mb-3 max-w-[62ch] text-sm text-ink-2">
        The exported file has the checkpoint, the entries with their tiles, the round's own log, its task, sum
        and models. The same code checks it on your machine:
      </p>
      <CommandLine label="Command that checks the exported file" text={bundleCommand(name)} />
      <p className="mt-4 mb-3 max-w-[62ch] text-sm text-ink-2">
        The file names the log's key itself. Compare it with what someone else was shown, and hold the file
        against it:
      </p>
      <CommandLine label="Option that pins the log's key" text={`--key ${audit.look.verifierKey}`} />
    </Section>
  );
}
