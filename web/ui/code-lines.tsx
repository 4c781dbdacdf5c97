import { CopyButton } from "./copy-button.tsx";
import { FocusBox } from "./focus-box.tsx";

/** A few lines of a program, closed until someone wants them, with their Copy button. */
export function CodeLines({ language, text }: { readonly language: string; readonly text: string }) {
  return (
    <details>
      <summary>Use it in {language}</summary>
      <div className="grid gap-3 pt-3">
        <FocusBox label={`${language} lines`} className="overflow-x-auto rounded-sm bg-wash px-3 py-2.5">
          <pre className="text-sm">
            <code>{text}</code>
          </pre>
        </FocusBox>
        <CopyButton text={text} what={`the ${language} lines`} />
      </div>
    </details>
  );
}
