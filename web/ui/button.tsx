import type { ButtonHTMLAttributes } from "react";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** main: the main action here. stop: ends or deletes something. quiet: an underlined word. */
  readonly kind?: "main" | "stop" | "quiet" | undefined;
}

/** A button with a text. If it is disabled, the text beside it says why. */
export function Button({ kind, className = "", type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={`btn ${kind ?? ""} ${className}`} {...rest} />;
}
