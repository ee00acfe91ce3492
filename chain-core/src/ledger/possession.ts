// Proofs of possession (STK-1): each key of a validator signs who it belongs to and what it is for, so that nobody
// registers another's key, nor a BLS key that cancels others out of an aggregate.
import type { Bls, Bytes32, NetworkId } from "@causeway/primitives";
import { concat, equal, H, must, toHex, utf8 } from "@causeway/primitives";
import { recover, signRecoverable } from "@causeway/primitives/secp256k1";
import { committeeMax } from "../codec/block.ts";
import type { Genesis, GenesisValidator } from "./genesis.ts";
import type { Place, Reader } from "./genesis-reader.ts";
import { below, hex, list, mistake, object } from "./genesis-reader.ts";

/** The keys of a validator by the name of their field; the number stands in the message and is final. */
export const keyRoles = {
  consensusKey: { number: 1, scheme: "bls" },
  attestKey: { number: 2, scheme: "bls" },
  relayKey: { number: 3, scheme: "secp256k1" },
  hostKey: { number: 4, scheme: "secp256k1" },
  nodePeerKey: { number: 5, scheme: "secp256k1" },
  signerPeerKey: { number: 6, scheme: "secp256k1" },
} as const;
export type KeyRole = keyof typeof keyRoles;
export const keyRoleNames: readonly KeyRole[] = Object.keys(keyRoles) as KeyRole[];

/** One validator's proofs: BLS signatures of 96 bytes, recoverable ECDSA ones of 65. */
export type Proofs = { readonly [Role in KeyRole]: Uint8Array };

/** H over owner (32 bytes), the role's number (1 byte) and the key: what the key signs. */
export function possessionMessage(
  network: NetworkId,
  owner: Uint8Array,
  role: KeyRole,
  key: Uint8Array,
): Bytes32 {
  return H("possession", network, concat(owner, Uint8Array.of(keyRoles[role].number), key));
}

/** The proof for one key by its secret of 32 bytes; `bls` is used for the two BLS roles only. */
export function signPossession(
  network: NetworkId,
  validator: Pick<GenesisValidator, "owner" | KeyRole>,
  role: KeyRole,
  secret: Uint8Array,
  bls: Bls,
): Uint8Array {
  const message = possessionMessage(network, validator.owner, role, validator[role]);
  return keyRoles[role].scheme === "bls"
    ? bls.sign(secret, message)
    : signRecoverable(secret, message);
}

/** The proofs file: `all` in the order of the body's validators. */
export function encodeProofs(network: NetworkId, all: readonly Proofs[]): Uint8Array {
  const validators = all.map((proofs) =>
    Object.fromEntries(keyRoleNames.map((role) => [role, toHex(proofs[role])])),
  );
  return utf8(`${JSON.stringify({ network: toHex(network), validators }, undefined, 2)}\n`);
}

export type ProofsFile = { readonly network: Uint8Array; readonly validators: readonly Proofs[] };

export const proofsReader: Reader<ProofsFile> = object<ProofsFile>({
  network: hex(32),
  validators: list(
    object<Proofs>({
      consensusKey: hex(96),
      attestKey: hex(96),
      relayKey: hex(65),
      hostKey: hex(65),
      nodePeerKey: hex(65),
      signerPeerKey: hex(65),
    }),
    { min: 1, max: committeeMax },
  ),
});

/** Notes every proof that does not hold. */
export function checkProofs(genesis: Genesis, file: ProofsFile, bls: Bls, place: Place): void {
  const { networkId, validators } = genesis;
  if (!equal(file.network, networkId)) {
    const expected = toHex(networkId);
    mistake(below(place, "network"), `the body's SHA-256 is ${expected}: proofs of another body`);
    return;
  }
  const all = below(place, "validators");
  if (file.validators.length !== validators.length) {
    mistake(all, `${file.validators.length} entries for ${validators.length} validators`);
    return;
  }
  for (const [i, validator] of validators.entries()) {
    const proofs = must(file.validators[i], "proofs of a validator");
    for (const role of keyRoleNames)
      if (!isProved(networkId, validator, proofs, role, bls))
        mistake(below(below(all, i), role), "is no proof by this key for this owner and role");
  }
}

/** Whose keys they are. */
type Owned = { readonly owner: Uint8Array } & { readonly [Role in KeyRole]: Uint8Array };

/** The first key whose proof does not hold, or undefined: what a registration on the ledger must show. */
export function provesPossession(
  network: NetworkId,
  validator: Owned,
  proofs: Proofs,
  bls: Bls,
): KeyRole | undefined {
  return keyRoleNames.find((role) => !isProved(network, validator, proofs, role, bls));
}

function isProved(
  network: NetworkId,
  validator: Owned,
  proofs: Proofs,
  role: KeyRole,
  bls: Bls,
): boolean {
  const message = possessionMessage(network, validator.owner, role, validator[role]);
  return isPossession(keyRoles[role].scheme, validator[role], message, proofs[role], bls);
}

function isPossession(
  scheme: "bls" | "secp256k1",
  key: Uint8Array,
  message: Uint8Array,
  proof: Uint8Array,
  bls: Bls,
): boolean {
  if (scheme === "bls") return bls.verify(key, message, proof);
  const signer = recover(message, proof);
  return signer !== undefined && equal(signer, key);
}
