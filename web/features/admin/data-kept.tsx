"use client";
import type { RetentionRow } from "#shared/protocol/governance.ts";
import { useRetention } from "../../data/access-queries.ts";
import { processingRecordUrl } from "../../data/admin.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import { DATA_NOTE, dataOfWords, keptLead, RECORD_WORDS } from "../../words/data-kept.ts";
import { QueryGate } from "../shell/query-gate.tsx";

/** What is kept and how long, and the record of processing to take along. */
export function DataKept() {
  const retention = useRetention();
  return (
    <Section id="data" title="Data" note={DATA_NOTE}>
      <div className="grid gap-5">
        <div className="grid gap-1.5">
          <h3>Record of processing</h3>
          <p className="max-w-2xl text-sm text-ink-2">{RECORD_WORDS}</p>
          <p className="flex flex-wrap gap-x-6 gap-y-1 text-sm">
            <a className="link underline" href={processingRecordUrl("markdown")} download>
              Download as Markdown
            </a>
            <a
              className="link underline"
              href={processingRecordUrl("json")}
              download="record-of-processing.json"
            >
              Download as JSON
            </a>
          </p>
        </div>
        <QueryGate query={retention} what="what is kept">
          {(rows) => <Kept rows={rows} />}
        </QueryGate>
      </div>
    </Section>
  );
}

/** Closed at first: it has a row for each table. */
function Kept({ rows }: { readonly rows: readonly RetentionRow[] }) {
  return (
    <details>
      <summary className="link min-h-11 py-2.5 text-sm">{keptLead(rows)} Show all</summary>
      <DataTable
        caption="What is kept"
        records
        rows={rows}
        rowKey={({ place }) => place}
        columns={[
          { label: "Where", cell: ({ place }) => <code className="whitespace-nowrap">{place}</code> },
          { label: "What", cell: ({ holds }) => holds },
          { label: "Whose", cell: ({ of }) => dataOfWords(of) },
          {
            label: "How long",
            cell: ({ kept, setting }) => (
              <>
                {kept}
                {setting !== null && (
                  <span className="note block">
                    set by <code>{setting}</code>
                  </span>
                )}
              </>
            ),
          },
        ]}
      />
    </details>
  );
}
