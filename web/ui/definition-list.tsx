export interface Definition {
  readonly term: string;
  readonly text: string;
}

/** Terms and what they are, each pair on a hairline. */
export function DefinitionList({ definitions }: { readonly definitions: readonly Definition[] }) {
  return (
    <dl className="defs self-start">
      {definitions.map(({ term, text }) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}
