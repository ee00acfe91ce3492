// Fresh secrets of a devnet's operators, guardians and people, from the system's entropy. The processes'
// secrets are disjoint (STK-1); each goes into the key file of the one process that uses it.
import { randomBytes } from "node:crypto";
import { isSecretKey } from "@causeway/primitives/secp256k1";

export type OperatorKeys = {
  /** Owner of the validator: the operator's cold key, held by no process. */
  readonly owner: Uint8Array;
  readonly node: { readonly consensus: Uint8Array; readonly peer: Uint8Array };
  readonly signer: {
    readonly attest: Uint8Array;
    readonly host: Uint8Array;
    readonly peer: Uint8Array;
    /** Encrypts the key shares at rest. */
    readonly passphrase: string;
  };
  readonly gateway: { readonly relay: Uint8Array; readonly evm: Uint8Array };
};

/** A secp256k1 secret; it is below BLS12-381's order too once its first bits are cleared. */
export function freshSecret(): Uint8Array {
  for (;;) {
    const secret = new Uint8Array(randomBytes(32));
    if (isSecretKey(secret)) return secret;
  }
}

/** A BLS12-381 secret: 32 bytes below the group order 73eda753... */
export function freshBlsSecret(): Uint8Array {
  const secret = freshSecret();
  secret[0] = (secret[0] as number) & 0x3f;
  return secret;
}

export function freshOperatorKeys(): OperatorKeys {
  return {
    owner: freshSecret(),
    node: { consensus: freshBlsSecret(), peer: freshSecret() },
    signer: {
      attest: freshBlsSecret(),
      host: freshSecret(),
      peer: freshSecret(),
      passphrase: randomBytes(24).toString("base64url"),
    },
    gateway: { relay: freshSecret(), evm: freshSecret() },
  };
}
