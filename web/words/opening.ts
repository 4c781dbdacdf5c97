import type { OpenError, ParticipantEnd } from "#client/index.ts";
import type { Status } from "#shared/protocol/api.ts";

/* The participant's page before it opens, if it cannot open, and after its part has ended by itself. */

/** What holds for every task. The page's HTML says the same before any script runs. */
export const FIRST_WORDS = {
  title: "Help a model learn, and keep your data",
  lead: "Your data stay on this device. If you agree to take part, one list of numbers leaves in each round, masked so that nobody can read it alone. The masks cancel only in the sum of many such lists.",
} as const;

/** An address under /join/ that names no task. */
export const NO_PAGE = {
  title: "Nothing here",
  sentence: "There is no page at this address. Check the link that you were given.",
} as const;

/** The name of the browser's tab. @param address  Null if it names no page. */
export function pageTitle(
  address: { readonly page: "join" | "learnt"; readonly slug: string } | null,
): string {
  if (address === null) return `${NO_PAGE.title}. Chorus`;
  const { page, slug } = address;
  return `${page === "join" ? "Take part" : "What the coordinator could learn"}: ${slug}. Chorus`;
}

/** Of a page on a host of its own, before it connects to the coordinator that its link names. */
export function connectWords(at: string, host: string) {
  return {
    title: `Connect to ${new URL(at).host}?`,
    asks: `This page comes from ${host}. Your link names the coordinator ${at}. Nothing was sent there yet. If you connect, it learns your address and which task you read; you agree to taking part later.`,
    trust: `What this page runs is decided by ${host}, so you trust that host, and on this first visit nobody has checked it for you. This device's identity and what it keeps belong to ${host}: another page of the same coordinator does not see them.`,
    connect: "Connect",
  } as const;
}

/** The link of a page on a host of its own cannot be followed. */
export const badLinkTitle = "This link names no coordinator that the page may use";

/** After an error in the page itself. */
export const pageFailureWords = {
  title: "This page failed",
  sentence:
    "The page hit an error, or a part of it could not be loaded, so it no longer takes part. Nothing more is sent, and what is stored in this browser stays. Reload to go on.",
  reload: "Reload",
} as const;

/** The address of a task's join page for other devices. */
export function joinUrl({ joinBaseUrl }: Pick<Status, "joinBaseUrl">, task: string): string {
  return `${joinBaseUrl.replace(/\/$/, "")}/join/${task}`;
}

const TITLES: Record<OpenError["type"], string> = {
  "insecure-context": "This device cannot take part over this address",
  unsupported: "This browser cannot take part",
  "other-version": "This page and the coordinator are of different versions",
  "bad-address": "This page was given a wrong address of its coordinator",
  "no-such-task": "There is no such task",
  "by-invitation": "This task is by invitation",
  offline: "The coordinator does not answer",
  busy: "This page cannot start here yet",
};

export interface NotOpenedWords {
  readonly title: string;
  /** What happened to the person's data. */
  readonly kept: string;
  /** False if another try would end the same way. */
  readonly mayRetry: boolean;
}

/** The words around the error's own sentence. */
export function notOpenedWords(type: OpenError["type"]): NotOpenedWords {
  const nothingHere = type === "insecure-context" || type === "unsupported" || type === "by-invitation";
  return {
    title: TITLES[type],
    kept: nothingHere
      ? "Nothing was stored and nothing was sent."
      : "Nothing was sent. What this browser keeps stays as it is.",
    mayRetry: type === "offline" || type === "busy",
  };
}

/** The address over HTTPS for a device that came over plain HTTP; null if the coordinator has none. */
export function secureAddress(
  status: Pick<Status, "joinBaseUrl" | "secureContext"> | undefined,
  task: string,
): string | null {
  const secure = status?.secureContext === true && status.joinBaseUrl.startsWith("https:");
  return secure ? joinUrl(status, task) : null;
}

/**
 * After this page's part has ended by itself: what is kept, and how to go on.
 *
 * @param tookPart  It was taking part until then.
 */
export function endedWords(
  type: ParticipantEnd["type"],
  tookPart: boolean,
): { readonly kept: string; readonly again: string } {
  const kept =
    type === "cleared"
      ? "Your data, your receipts and what you agreed to may be gone from this browser. The page shows what is left once it has started again."
      : "Nothing is lost: your consent, your data and your receipts are stored in this browser.";
  if (!tookPart) return { kept, again: "Start again" };
  return {
    kept: `${kept} If a round was under way, it goes on without this device. What was already sent means nothing alone, and nothing more is sent.`,
    again: "Start again and take part",
  };
}

/** Before the address of the authority of a coordinator that made its own certificate. */
export const TRUST_FIRST =
  "A device that was never here has to trust this coordinator's certificate first. The coordinator's terminal says how, and shows the fingerprint to compare. The certificate is at";
