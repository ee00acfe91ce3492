// The key file of a new seat: secrets of the system's entropy, which no other place ever has.
import { writeFileSync } from "node:fs";
import { Failure, toHex } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { isSecretKey } from "@causeway/primitives/secp256k1";

function freshSecret(): Uint8Array {
  for (;;) {
    const secret = systemEntropy(32);
    if (isSecretKey(secret)) return secret;
  }
}

/** Below BLS12-381's group order, 0x73eda753..., once the first two bits are zero. */
function freshBlsSecret(): Uint8Array {
  const secret = freshSecret();
  return secret.with(0, (secret[0] ?? 0) & 0x3f);
}

/**
 * Writes one of mode 0600 where no file is; without a `passphrase` a random one of 192 bits seals the shares. Throws
 * Failure "no-file".
 */
export function freshKeyFile(path: string, passphrase?: string): void {
  const keys = {
    attest: toHex(freshBlsSecret()),
    host: toHex(freshSecret()),
    peer: toHex(freshSecret()),
    passphrase: passphrase ?? Buffer.from(systemEntropy(24)).toString("base64url"),
  };
  try {
    writeFileSync(path, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw new Failure("no-file", `${path} cannot be written`, { cause });
  }
}
