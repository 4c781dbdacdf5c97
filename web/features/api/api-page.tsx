"use client";
import { useApiDescription } from "../../data/queries.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { FocusBox } from "../../ui/focus-box.tsx";
import { Section } from "../../ui/section.tsx";
import {
  type ApiDescription,
  type ApiField,
  type ApiGroup,
  type ApiOperation,
  apiGroups,
  retryWords,
} from "../../words/api-reference.ts";
import { QueryGate } from "../shell/query-gate.tsx";

export interface ApiExample {
  readonly language: string;
  readonly file: string;
  readonly text: string;
}

/** How a program asks this coordinator: examples, every operation, every error. */
export function ApiPage({ examples }: { readonly examples: readonly ApiExample[] }) {
  const description = useApiDescription();
  return (
    <>
      <div className="grid gap-4 pt-8 pb-4">
        <h1>API</h1>
        <p className="lead">
          What these pages show and do, a program can ask for, as far as its token allows. Addresses begin
          with <code>/api/v1</code>, bodies and answers are JSON, and models are safetensors.
        </p>
      </div>
      <Section
        id="asking"
        title="Asking"
        note={
          <>
            For programs: <a href="/api/v1/openapi.json">the description as OpenAPI 3.1</a>.
          </>
        }
      >
        <ul className="grid max-w-160 list-disc gap-2 pl-5">
          <li>
            A program sends an API token, as <code>authorization: Bearer cht_…</code>. Its owner makes one
            under Account, with only the scopes that the program needs.
          </li>
          <li>
            A list returns <code>items</code> and <code>next</code>. Ask again with <code>?cursor=</code> and
            the value of <code>next</code> until that is <code>null</code>.
          </li>
          <li>
            An error returns <code>code</code>, a <code>message</code> that says what to do next, and{" "}
            <code>retry</code>: now, later or never. If a field is wrong, it also returns <code>fields</code>:
            the <code>path</code> of each, such as <code>features.columns.0.range</code>, and a{" "}
            <code>sentence</code> with what is wanted.
          </li>
        </ul>
      </Section>
      <Section
        id="examples"
        title="Examples"
        note="Each makes a task, launches a run, watches it and fetches the model. A test of this project runs these files."
      >
        <div className="grid gap-4">
          {examples.map((example) => (
            <Example key={example.file} example={example} />
          ))}
        </div>
      </Section>
      <QueryGate query={description} what="the description of the API">
        {(loaded) => <Reference description={loaded} />}
      </QueryGate>
    </>
  );
}

function Example({ example: { language, file, text } }: { readonly example: ApiExample }) {
  return (
    <details>
      <summary>
        {language}, <code>{file}</code>
      </summary>
      <div className="grid gap-3 pt-3">
        <FocusBox label={`${language} example`} className="overflow-x-auto rounded-sm bg-wash px-3 py-2.5">
          <pre className="text-sm">
            <code>{text}</code>
          </pre>
        </FocusBox>
        <CopyButton text={text} what={file} />
      </div>
    </details>
  );
}

function Reference({ description }: { readonly description: ApiDescription }) {
  const groups = apiGroups(description);
  return (
    <>
      {groups.map((group) => (
        <Group key={group.name} group={group} />
      ))}
      <Section id="errors" title="Errors" note="Every code that an answer may carry.">
        <DataTable
          caption="Error codes"
          records
          rows={description["x-errors"]}
          rowKey={({ code }) => code}
          columns={[
            { label: "Code", cell: ({ code }) => <code>{code}</code> },
            { label: "Status", numeric: true, cell: ({ status }) => status },
            { label: "What it says", cell: ({ message }) => message },
            { label: "Try again", cell: ({ retry }) => retryWords(retry) },
          ]}
        />
      </Section>
    </>
  );
}

function Group({ group: { name, anchor, words, operations } }: { readonly group: ApiGroup }) {
  return (
    <Section id={anchor} title={name} note={words}>
      <div className="grid gap-3">
        {operations.map((operation) => (
          <Operation key={operation.id} operation={operation} />
        ))}
      </div>
    </Section>
  );
}

function Operation({ operation }: { readonly operation: ApiOperation }) {
  const { id, method, path, summary, permission, inAddress, inQuery, body, answer } = operation;
  return (
    <details id={id}>
      <summary>
        <code className="wrap-anywhere">
          {method} {path}
        </code>
        <span className="block text-ink-2">{summary}.</span>
      </summary>
      <div className="grid gap-4 pt-3 pb-4">
        <p className="note">
          {permission} Its id is <code>{id}</code>.
        </p>
        <Fields title="In the address" fields={inAddress} />
        <Fields title="In the query" fields={inQuery} />
        {body !== null && <Fields title="Body" fields={body} />}
        <Fields title={`Answer ${answer.status}, ${answer.words}`} fields={answer.fields} always />
      </div>
    </details>
  );
}

interface FieldsProps {
  readonly title: string;
  readonly fields: readonly ApiField[];
  /** Shows the title even if there is nothing below it. */
  readonly always?: boolean;
}

function Fields({ title, fields, always = false }: FieldsProps) {
  if (fields.length === 0 && !always) return null;
  return (
    <div>
      <h3 className="mb-1.5">{title}</h3>
      <dl className="defs">
        {fields.map(({ name, words, required }) => (
          <div key={name}>
            <dt className="wrap-anywhere">
              <code>{name}</code>
            </dt>
            <dd className="wrap-anywhere">
              {words}
              {!required && <span className="text-ink-3">, optional</span>}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
