import { FocusBox } from "./focus-box.tsx";

interface CommandLineProps {
  readonly label: string;
  readonly text: string;
}

/** A command to copy into a shell. */
export function CommandLine({ label, text }: CommandLineProps) {
  return (
    <FocusBox className="overflow-x-auto rounded-sm bg-wash px-4 py-3 text-sm" label={label}>
      <code className="whitespace-nowrap">{text}</code>
    </FocusBox>
  );
}
