import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import type { PasskeyOptions, PasskeySite, WebAuthnJson } from "#coordinator/core/ports/sign-ins.ts";

/** Flags of the authenticator's data (WebAuthn level 3, section 6.1). */
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

/** What an authenticator does otherwise than it should. */
export interface Faults {
  readonly origin?: string;
  readonly host?: string;
  readonly challenge?: string;
  readonly isUnverified?: boolean;
  readonly attestation?: "none" | "packed-with-certificate";
}

/** An authenticator in software with one ES256 key, written from the standard without the library under test. */
export class SoftAuthenticator {
  readonly id = randomBytes(32);
  counter = 0;
  readonly #site: PasskeySite;
  readonly #key: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

  constructor(site: PasskeySite) {
    this.#site = site;
    this.#key = generateKeyPairSync("ec", { namedCurve: "P-256" });
  }

  /** RegistrationResponseJSON. */
  make({ options }: PasskeyOptions, faults: Faults = {}): WebAuthnJson {
    const { x, y } = this.#key.publicKey.export({ format: "jwk" });
    const point = (text: string | undefined) => Buffer.from(text ?? "", "base64url");
    const coseKey = map([
      [int(1), int(2)],
      [int(3), int(-7)],
      [int(-1), int(1)],
      [int(-2), bytes(point(x))],
      [int(-3), bytes(point(y))],
    ]);
    const length = Buffer.from([0, this.id.length]);
    const authData = Buffer.concat([
      this.#data(HAS_CREDENTIAL, faults),
      Buffer.alloc(16),
      length,
      this.id,
      coseKey,
    ]);
    const statement =
      faults.attestation === "packed-with-certificate"
        ? map([
            [text("alg"), int(-7)],
            [text("sig"), bytes(randomBytes(70))],
            [text("x5c"), Buffer.concat([Buffer.from([0x81]), bytes(randomBytes(300))])],
          ])
        : map([]);
    const attestationObject = map([
      [text("fmt"), text(faults.attestation === "packed-with-certificate" ? "packed" : "none")],
      [text("attStmt"), statement],
      [text("authData"), bytes(authData)],
    ]);
    return this.#answer({
      clientDataJSON: this.#clientData("webauthn.create", options, faults).toString("base64url"),
      attestationObject: attestationObject.toString("base64url"),
      transports: ["internal"],
    });
  }

  /** AuthenticationResponseJSON. The counter rises by one. */
  use({ options }: PasskeyOptions, faults: Faults = {}): WebAuthnJson {
    this.counter++;
    const clientData = this.#clientData("webauthn.get", options, faults);
    const authData = this.#data(0, faults);
    const signed = Buffer.concat([authData, createHash("sha256").update(clientData).digest()]);
    return this.#answer({
      clientDataJSON: clientData.toString("base64url"),
      authenticatorData: authData.toString("base64url"),
      signature: sign("sha256", signed, this.#key.privateKey).toString("base64url"),
    });
  }

  #data(moreFlags: number, { host, isUnverified }: Faults): Buffer {
    const hostHash = createHash("sha256")
      .update(host ?? this.#site.host)
      .digest();
    const flags = USER_PRESENT | (isUnverified === true ? 0 : USER_VERIFIED) | moreFlags;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.counter);
    return Buffer.concat([hostHash, Buffer.from([flags]), counter]);
  }

  #clientData(type: string, options: WebAuthnJson, { origin, challenge }: Faults): Buffer {
    const asked = challenge ?? options["challenge"];
    return Buffer.from(
      JSON.stringify({ type, challenge: asked, origin: origin ?? this.#site.origin, crossOrigin: false }),
    );
  }

  #answer(response: WebAuthnJson): WebAuthnJson {
    const id = this.id.toString("base64url");
    return { id, rawId: id, type: "public-key", response, clientExtensionResults: {} };
  }
}

/* CBOR (RFC 8949), as much of it as an attestation has. */

function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 0xff]);
}
function int(value: number): Buffer {
  return value < 0 ? head(1, -1 - value) : head(0, value);
}
function bytes(value: Uint8Array): Buffer {
  return Buffer.concat([head(2, value.length), value]);
}
function text(value: string): Buffer {
  return Buffer.concat([head(3, value.length), Buffer.from(value)]);
}
function map(entries: readonly (readonly [Buffer, Buffer])[]): Buffer {
  return Buffer.concat([head(5, entries.length), ...entries.flat()]);
}
