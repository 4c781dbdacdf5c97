import { createHash } from "node:crypto";

/*
 * The page for a browser that asks by a name that is not ours. It is complete in itself: this coordinator serves
 * nothing else under that name, and the page runs no script.
 */

export interface UnknownName {
  /** Name or address that was asked for, as `hostNameOf` returns it; null if the header holds none. */
  readonly asked: string | null;
  /** The address that the operator set; null if none is set. */
  readonly publicUrl: string | null;
}

const STYLE = `
:root{color-scheme:light dark;--paper:light-dark(oklch(.987 .0025 200),oklch(.178 .014 222));--wash:light-dark(oklch(.962 .006 200),oklch(.232 .018 222));--rule:light-dark(oklch(.888 .008 210),oklch(.318 .017 222));--edge:light-dark(oklch(.63 .014 215),oklch(.55 .018 220));--ink:light-dark(oklch(.235 .022 230),oklch(.945 .008 205));--ink-2:light-dark(oklch(.415 .02 228),oklch(.79 .012 208));--ink-3:light-dark(oklch(.52 .018 225),oklch(.675 .014 212));--sum:light-dark(oklch(.5 .085 193),oklch(.815 .112 187));--serif:"Iowan Old Style","Palatino Nova","Palatino Linotype",Palatino,"URW Palladio L",P052,"Noto Serif",Georgia,serif}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:.9375rem/1.5 -apple-system,"Segoe UI Variable Text","Segoe UI",Roboto,"Helvetica Neue","Nimbus Sans","Liberation Sans",Arial,system-ui,sans-serif;-webkit-text-size-adjust:100%}
h1,h2,p{margin:0;overflow-wrap:anywhere;text-wrap:pretty}
header{border-bottom:1px solid var(--rule)}
header,main{padding-inline:max(clamp(1rem,5vw,4.5rem),calc((100% - 81rem)/2))}
header p{display:flex;align-items:center;gap:.6rem;height:3.5rem;font:1.25rem/1 var(--serif)}
main{display:grid;grid-template-columns:minmax(0,1.5fr) minmax(0,1fr);gap:2.25rem 2.75rem;padding-block:clamp(2rem,3.2vw,3rem)}
section{display:grid;gap:.9rem;align-content:start}
h1{font:400 2.5rem/1.1 var(--serif);letter-spacing:-.012em}
h2{font-size:.9375rem;line-height:1.4}
.lead{font:1.75rem/1.3 var(--serif);letter-spacing:-.006em}
.read{font:1.125rem/1.5 var(--serif);max-width:62ch}
.note{font-size:.8125rem;line-height:1.45;color:var(--ink-3);max-width:62ch}
.dim{font-size:.8125rem;color:var(--ink-2)}
a{color:inherit;text-decoration-color:var(--edge);text-underline-offset:3px}
a:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
code{font:.8125rem/1.5 "SF Mono","Cascadia Mono",Menlo,Consolas,"Noto Sans Mono","Liberation Mono",ui-monospace,monospace;overflow-wrap:anywhere}
.command{display:block;background:var(--wash);padding:.55rem .75rem;border-radius:2px}
.command span{display:inline-block;max-width:100%}
@media (max-width:48rem){main{grid-template-columns:minmax(0,1fr)}h1{font-size:2rem}.lead{font-size:1.3125rem}}
`;

/** Allows the page's own style and nothing else. */
export const UNKNOWN_NAME_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The page as HTML: first for visitors, then for whoever runs the coordinator. Rule W8. */
export function unknownNamePage({ asked, publicUrl }: UnknownName): string {
  const question = asked === null ? "Your browser named no valid host." : `You asked for “${text(asked)}”.`;
  const answers =
    publicUrl === null
      ? "This coordinator answers on its own machine and to its addresses on the network. No other name is set."
      : `This coordinator answers to “${text(new URL(publicUrl).host)}” and on its own machine.`;
  const way =
    publicUrl === null
      ? "Ask whoever gave you the address for the right one."
      : `Use <a href="${text(publicUrl)}">${text(publicUrl)}</a>, or ask whoever gave you the address.`;
  const name = asked ?? "name.example";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>This name is not set up. Chorus</title><style>${STYLE}</style></head>
<body><header><p>${MARK}Chorus</p></header>
<main><section><h1>This name is not set up</h1>
<p class="lead">${question} ${answers}</p>
<p class="read">If you came to take part, nothing of yours was read or sent. ${way}</p>
<p class="note">Other names are refused, so that a page under another name cannot use this coordinator. Code: FORBIDDEN, 403.</p></section>
<section><h2>If you run it</h2>
<p class="dim">Start the coordinator with the address that people will type:</p>
<p><code class="command">${words(`npm run coordinator -- --public-url https://${name}`)}</code></p>
<p class="dim">Or set it in the environment:</p>
<p><code class="command">${words(`CHORUS_PUBLIC_URL=https://${name}`)}</code></p>
<p class="note">If a page of another site embeds the join page, add that site to <code>CHORUS_ORIGINS</code> instead.</p></section></main></body></html>
`;
}

const MARK = `<svg width="30" height="20" viewBox="0 0 30 20" aria-hidden="true" fill="none"><path d="M0 1.5h3C11 1.5 12 10 19 10M0 5.75h4C11 5.75 13 10 19 10M0 10h19M0 14.25h4C11 14.25 13 10 19 10M0 18.5h3C11 18.5 12 10 19 10" stroke="currentColor" stroke-width="1.3"/><path d="M18 10h12" stroke="var(--sum)" stroke-width="4.2"/></svg>`;

/** Breaks a command between words and behind "=", if it can. */
function words(command: string): string {
  return command
    .split(" ")
    .map((word) => `<span>${text(word).replace("=", "=<wbr>")}</span>`)
    .join(" ");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function text(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
