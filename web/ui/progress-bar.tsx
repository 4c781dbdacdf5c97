/** A bar of one or more parts. Fills its parent's height. @param parts  Each from 0 to 1. */
export function ProgressBar({ label, parts }: { readonly label: string; readonly parts: readonly number[] }) {
  const percent = Math.round((100 * parts.reduce((sum, part) => sum + part, 0)) / parts.length);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className="flex h-full gap-1"
    >
      {parts.map((part, index) => (
        <svg
          // biome-ignore lint/suspicious/noArrayIndexKey: a part is its place
          key={index}
          viewBox="0 0 100 6"
          preserveAspectRatio="none"
          className="h-full min-w-0 flex-1"
          aria-hidden="true"
        >
          <rect width="100" height="6" className="fill-rule" />
          <rect width={100 * part} height="6" className="bar-you" />
        </svg>
      ))}
    </div>
  );
}
