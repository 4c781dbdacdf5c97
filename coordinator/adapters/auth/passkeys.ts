import { z } from "zod";
import { bytesToHex, utf8 } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, RandomBytes, WallClock } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { SingleUse } from "../../core/access/single-use.ts";
import type { AuthRecord, AuthRecords } from "../../core/ports/auth-records.ts";
import type { PasskeyAnswer, PasskeyOptions, PasskeySite, WebAuthnJson } from "../../core/ports/sign-ins.ts";

const CHALLENGE_LIFE_MS = 5 * 60_000;
const CHALLENGE_COUNT_MAX = 10_000;
/** Passkeys of one person. */
const PASSKEY_COUNT_MAX = 20;

/** EdDSA, ES256 and RS256 by their COSE numbers: what every authenticator has one of. */
const ALGORITHMS = [-8, -7, -257];

const text = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .regex(/^[A-Za-z0-9_-]+$/);
const credentialId = text(1_400);
const clientData = text(4_000);
const bytes = text(12_000);
const extensions = z.record(z.string().max(64), z.unknown()).default({});

/** RegistrationResponseJSON of WebAuthn level 3, section 5.1. What is not needed is dropped. */
const newPasskeySchema = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal("public-key"),
  response: z.object({
    clientDataJSON: clientData,
    attestationObject: bytes,
    transports: z
      .array(z.string().regex(/^[a-z-]{1,20}$/))
      .max(10)
      .default([]),
  }),
  clientExtensionResults: extensions,
});

/** AuthenticationResponseJSON. */
const usedPasskeySchema = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal("public-key"),
  response: z.object({ clientDataJSON: clientData, authenticatorData: bytes, signature: bytes }),
  clientExtensionResults: extensions,
});

interface Challenge {
  readonly kind: "new" | "use";
  readonly challenge: string;
  readonly site: PasskeySite;
  /** Null for someone without an account, and for a sign-in. */
  readonly personId: string | null;
}

export interface PasskeysPorts {
  readonly records: AuthRecords;
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
  readonly wall: WallClock;
}

/**
 * Passkeys by WebAuthn level 3 with SimpleWebAuthn, which is loaded at the first use. User verification is required, a
 * challenge works once, and a signature counter that does not rise is refused (X16).
 */
export class Passkeys {
  readonly #ports: PasskeysPorts;
  readonly #challenges: SingleUse<Challenge>;

  constructor(ports: PasskeysPorts) {
    this.#ports = ports;
    this.#challenges = new SingleUse(ports.clock, {
      lifeMs: CHALLENGE_LIFE_MS,
      countMax: CHALLENGE_COUNT_MAX,
    });
  }

  async newOptions(site: PasskeySite, name: string, personId: string | null): Promise<PasskeyOptions> {
    const { generateRegistrationOptions } = await import("@simplewebauthn/server");
    const known = personId === null ? [] : await this.#of(personId);
    const options = await generateRegistrationOptions({
      rpName: "Chorus",
      rpID: site.host,
      userName: name,
      userDisplayName: name,
      userID: personId === null ? this.#ports.random(16) : utf8(personId),
      timeout: CHALLENGE_LIFE_MS,
      attestationType: "none",
      excludeCredentials: known.map((passkey) => ({ id: passkey.credentialId })),
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      supportedAlgorithmIDs: ALGORITHMS,
    });
    return this.#asked({ kind: "new", challenge: options.challenge, site, personId }, options);
  }

  async add(personId: string, { challengeId, response }: PasskeyAnswer): Promise<Result<void, "wrong">> {
    const asked = this.#challenges.take(challengeId);
    const parsed = newPasskeySchema.safeParse(response);
    if (asked === null || asked.kind !== "new" || !parsed.success) return err("wrong");
    if (asked.personId !== null && asked.personId !== personId) return err("wrong");
    if (await hasCertificate(parsed.data.response.attestationObject)) return err("wrong");
    const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
    const verified = await verifyRegistrationResponse({
      response: parsed.data as never,
      expectedChallenge: asked.challenge,
      expectedOrigin: asked.site.origin,
      expectedRPID: asked.site.host,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    }).catch(() => null);
    if (verified === null || !verified.verified) return err("wrong");
    if ((await this.#of(personId)).length >= PASSKEY_COUNT_MAX) return err("wrong");
    const { id, publicKey, counter } = verified.registrationInfo.credential;
    const outcome = await this.#ports.records.createAuthRecord("passkey", {
      credentialId: id,
      personId,
      publicKey,
      counter,
      transports: parsed.data.response.transports.join(","),
      madeAt: this.#ports.wall.nowUnixMs(),
    });
    return outcome === "created" ? ok(undefined) : err("wrong");
  }

  async useOptions(site: PasskeySite): Promise<PasskeyOptions> {
    const { generateAuthenticationOptions } = await import("@simplewebauthn/server");
    // Names no credentials, so that nobody learns who has one.
    const options = await generateAuthenticationOptions({
      rpID: site.host,
      userVerification: "required",
      timeout: CHALLENGE_LIFE_MS,
    });
    return this.#asked({ kind: "use", challenge: options.challenge, site, personId: null }, options);
  }

  /** The person whose passkey this is. */
  async personOf({ challengeId, response }: PasskeyAnswer): Promise<Result<string, "wrong">> {
    const asked = this.#challenges.take(challengeId);
    const parsed = usedPasskeySchema.safeParse(response);
    if (asked === null || asked.kind !== "use" || !parsed.success) return err("wrong");
    const { records } = this.#ports;
    const where = { field: "credentialId", operator: "eq", value: parsed.data.id } as const;
    const [passkey] = await records.findAuthRecords("passkey", [where], { limit: 1 });
    if (passkey === undefined) return err("wrong");
    const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
    const { counter } = passkey;
    const verified = await verifyAuthenticationResponse({
      response: parsed.data as never,
      expectedChallenge: asked.challenge,
      expectedOrigin: asked.site.origin,
      expectedRPID: asked.site.host,
      requireUserVerification: true,
      credential: {
        id: passkey.credentialId,
        publicKey: new Uint8Array(passkey.publicKey),
        counter,
      },
    }).catch(() => null);
    if (verified === null || !verified.verified) return err("wrong");
    const { newCounter } = verified.authenticationInfo;
    // Only from the counter that was checked: of two uses at once, one is a copy.
    const moved =
      newCounter === counter ||
      (
        await records.updateAuthRecords(
          "passkey",
          [where, { field: "counter", operator: "eq", value: counter }],
          {
            counter: newCounter,
          },
        )
      ).length === 1;
    return moved ? ok(passkey.personId) : err("wrong");
  }

  #of(personId: string): Promise<readonly AuthRecord<"passkey">[]> {
    return this.#ports.records.findAuthRecords(
      "passkey",
      [{ field: "personId", operator: "eq", value: personId }],
      { limit: PASSKEY_COUNT_MAX },
    );
  }

  #asked(challenge: Challenge, options: object): PasskeyOptions {
    const challengeId = bytesToHex(this.#ports.random(16));
    this.#challenges.put(challengeId, challenge);
    return { challengeId, options: options as WebAuthnJson };
  }
}

/**
 * True if the attestation brings certificates. None was asked for, and the library may fetch the revocation list that one
 * names, from wherever its sender likes (X16).
 */
async function hasCertificate(attestationObject: string): Promise<boolean> {
  const { decodeAttestationObject, isoBase64URL } = await import("@simplewebauthn/server/helpers");
  try {
    const decoded = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject));
    return decoded.get("fmt") !== "none" && decoded.get("attStmt").get("x5c") !== undefined;
  } catch {
    return true;
  }
}
