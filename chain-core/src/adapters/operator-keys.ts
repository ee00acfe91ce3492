// An operator's six keys and the proofs that they are its own (STK-1), of the key files of its three processes. A person
// who has them at hand names them once, to register or to prove a genesis.
import type { NetworkId } from "@causeway/primitives";
import { bytes32, Failure } from "@causeway/primitives";
import { readKeyFile } from "@causeway/primitives/adapters/key-file";
import { publicPoint } from "@causeway/primitives/secp256k1";
import type { ValidatorKeys } from "../codec/stake.ts";
import { keyRoleNames, keyRoles, signPossession } from "../ledger/possession.ts";
import { createBls } from "./bls.ts";
import { signerKeyFields } from "./govern-cli.ts";

/** For node:util's parseArgs. */
export const keyOptions = {
  "node-keys": { type: "string" },
  "signer-keys": { type: "string" },
  "gateway-keys": { type: "string" },
} as const;
export const keyUsage =
  "KEYS: --node-keys FILE --signer-keys FILE --gateway-keys FILE, read here to prove each key; no secret goes anywhere.";

/** Of the key files (SEAMS), whose other fields are none of the validator's keys. */
const fields = {
  node: { consensus: "required", peer: "required" },
  signer: signerKeyFields,
  gateway: { relay: "required", evm: "optional" },
} as const;

/**
 * Keys with proofs that they are the owner's on this network; undefined where no file is named. Throws Failure "usage",
 * "bad-keys", and what `ownerOf` throws, which sees the keys.
 */
export function provedKeys(
  files: { readonly [Name in keyof typeof keyOptions]?: string | undefined },
  network: NetworkId,
  ownerOf: (keys: ValidatorKeys) => Uint8Array,
): { readonly keys: ValidatorKeys; readonly proofs: ValidatorKeys } | undefined {
  const [node, signer, gateway] = [files["node-keys"], files["signer-keys"], files["gateway-keys"]];
  if (node === undefined && signer === undefined && gateway === undefined) return undefined;
  if (node === undefined || signer === undefined || gateway === undefined)
    throw new Failure("usage", "--node-keys, --signer-keys and --gateway-keys go together");
  const { consensus, peer } = readKeyFile(node, fields.node);
  const { attest, host, peer: signerPeer } = readKeyFile(signer, fields.signer);
  const { relay } = readKeyFile(gateway, fields.gateway);
  const secrets: ValidatorKeys = {
    consensusKey: consensus,
    attestKey: attest,
    relayKey: relay,
    hostKey: host,
    nodePeerKey: peer,
    signerPeerKey: signerPeer,
  };
  const bls = createBls();
  const each = (make: (role: (typeof keyRoleNames)[number]) => Uint8Array): ValidatorKeys =>
    Object.fromEntries(keyRoleNames.map((role) => [role, make(role)])) as ValidatorKeys;
  const keys = each((role) =>
    keyRoles[role].scheme === "bls" ? bls.publicKey(secrets[role]) : publicPoint(secrets[role]),
  );
  const owner = bytes32(ownerOf(keys));
  const proofs = each((role) =>
    signPossession(network, { owner, ...keys }, role, secrets[role], bls),
  );
  return { keys, proofs };
}
