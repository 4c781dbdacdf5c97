import type { ButtonHTMLAttributes } from "react";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** main: the one thing to do here. stop: ends or deletes something. quiet: an underlined word. */
  readonly kind?: "main" | "stop" | "quiet" | undefined;
}

/** A button with a word on it. One that is off says why beside it. */
export function Button({ kind, className = "", type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={`btn ${kind ?? ""} ${className}`} {...rest} />;
}
