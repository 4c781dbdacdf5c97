/** Short lines under a heading; in the person's own colour if `you` is set. */
export function WordList(props: {
  readonly title: string;
  readonly lines: readonly string[];
  readonly you?: boolean;
}) {
  return (
    <div>
      <h3 className={`mb-1.5 ${props.you ? "text-you-text" : ""}`}>{props.title}</h3>
      <ul className="text-ink-2">
        {props.lines.map((line) => (
          <li key={line} className="border-t border-rule py-1.5">
            {line}
          </li>
        ))}
      </ul>
    </div>
  );
}
