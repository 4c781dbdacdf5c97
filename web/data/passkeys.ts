import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from "@simplewebauthn/browser";
import type { PasskeyAnswer, PasskeyOptions } from "./access.ts";

/* The browser's part of passkeys. What the options and the answer hold is between the browser and the coordinator. */

/** The browser or the person did not go through with it. The message says what to do. */
export class PasskeyStopped extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PasskeyStopped";
  }
}

export const hasPasskeys = (): boolean => browserSupportsWebAuthn();

/** Has the browser make a new passkey. @throws PasskeyStopped, ApiFailure */
export async function makePasskey(getOptions: () => Promise<PasskeyOptions>): Promise<PasskeyAnswer> {
  const { challengeId, options } = await getOptions();
  const optionsJSON = options as unknown as PublicKeyCredentialCreationOptionsJSON;
  return answered(challengeId, () => startRegistration({ optionsJSON }), "made");
}

/** Has the browser use a passkey of this host. @throws PasskeyStopped, ApiFailure */
export async function presentPasskey(getOptions: () => Promise<PasskeyOptions>): Promise<PasskeyAnswer> {
  const { challengeId, options } = await getOptions();
  const optionsJSON = options as unknown as PublicKeyCredentialRequestOptionsJSON;
  return answered(challengeId, () => startAuthentication({ optionsJSON }), "used");
}

async function answered(
  challengeId: string,
  ask: () => Promise<object>,
  done: "made" | "used",
): Promise<PasskeyAnswer> {
  try {
    return { challengeId, response: { ...(await ask()) } };
  } catch (cause) {
    const isKnown = cause instanceof Error && cause.name === "InvalidStateError";
    throw new PasskeyStopped(
      isKnown
        ? "This device already has a passkey for this account. Use it, or use another device."
        : `No passkey was ${done}. Nothing was changed. Try again, or use a password.`,
    );
  }
}
