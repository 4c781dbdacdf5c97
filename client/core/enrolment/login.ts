import { verifySignature } from "#shared/crypto/signature.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import { readHelloRefusal, WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import { certificateItem, loginItem } from "#shared/secagg/signed-items.ts";
import type { Authority } from "#shared/task/agreed-config.ts";
import type { ClientPorts } from "../ports.ts";

/** What a device says of itself. */
interface LoginWords {
  readonly joinToken?: string | undefined;
  readonly version?: string | undefined;
  /** Size of the public log as it saw it last. */
  readonly logSize?: number | undefined;
}

/**
 * Proves this device's identity to the coordinator, and checks that the pinned issuer certified it: hello, challenge,
 * authenticate, welcome.
 *
 * Errors: `offline`, or the reason for the refusal (BAD_CERTIFICATE is this device's own).
 */
export async function logIn(
  { link, signer, primitives }: Pick<ClientPorts, "link" | "signer" | "primitives">,
  task: TaskSlug,
  authority: Authority,
  { joinToken, version, logSize }: LoginWords,
): Promise<
  Result<void, { readonly type: "offline" } | { readonly type: "refused"; readonly error: WireError }>
> {
  const identity = signer.publicKey;
  const hello = await link.send({ type: "hello", protocol: "chorus/1", wire: WIRE_VERSION, task, identity });
  if (!hello.ok) return hello;
  if (hello.value.type === "refused")
    return err({ type: "refused", error: readHelloRefusal(hello.value.error) });
  if (hello.value.type !== "challenge") return refuseLogin("BAD_MESSAGE");
  const signature = await signer.sign(loginItem(hello.value.challenge, authority.projectId, task, identity));
  const answer = await link.send({ type: "authenticate", signature, joinToken, version, logSize });
  if (!answer.ok) return answer;
  if (answer.value.type === "refused") return err(answer.value);
  if (answer.value.type !== "welcome") return refuseLogin("BAD_MESSAGE");
  const { projectId, issuerKey, certificate, pass } = answer.value;
  if (projectId !== authority.projectId || bytesToHex(issuerKey) !== authority.issuerKey)
    return refuseLogin("BAD_CERTIFICATE");
  const item = certificateItem(projectId, identity);
  const certified = await verifySignature(primitives, hexToBytes(authority.issuerKey), item, certificate);
  if (!certified) return refuseLogin("BAD_CERTIFICATE");
  if (pass !== undefined) link.show(pass);
  return ok(undefined);
}

function refuseLogin(code: "BAD_MESSAGE" | "BAD_CERTIFICATE") {
  return err({ type: "refused", error: wireError(code) } as const);
}
