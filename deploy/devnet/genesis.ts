// The genesis of a devnet: fresh keys for everybody, the devnet preset, Bitcoin regtest from its block 0, one EVM
// chain, BBTC as the wrapped asset, and BTM for two people.
import type { Genesis, GenesisBody, GenesisValidator, Params, Proofs } from "@causeway/chain-core";
import {
  devnetParams,
  encodeGenesisBody,
  encodeProofs,
  keyRoleNames,
  lockOfAddress,
  signPossession,
} from "@causeway/chain-core";
import { createAddress, templateHash } from "@causeway/chain-core/interchain";
import type { Bls, Bytes32, NetworkId } from "@causeway/primitives";
import { bigEndian, bytes32, fromHex, sha256, sha256d, zero32 } from "@causeway/primitives";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import { anvilChainId } from "./anvil.ts";
import { artifact } from "./ethereum.ts";
import type { OperatorKeys } from "./keys.ts";
import { freshOperatorKeys, freshSecret } from "./keys.ts";

/** Block 0 of regtest, 80 bytes, the same in every Bitcoin Core. */
const regtestBlock0: Uint8Array = fromHex(
  `01000000${"00".repeat(32)}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000`,
);
const regtestBlock0Time = 1_296_688_602;

/** 1,000 BTM for each person, 8 decimals. */
const faucet: bigint = 1_000n * 10n ** 8n;
const stake: bigint = 1_000_000n * 10n ** 8n;

export type DevnetSecrets = {
  readonly operators: readonly OperatorKeys[];
  readonly guardians: readonly Uint8Array[];
  /** People with BTM on the ledger. */
  readonly users: readonly Uint8Array[];
  /** Creates the contracts. */
  readonly deployer: Uint8Array;
};

export type Devnet = {
  readonly secrets: DevnetSecrets;
  readonly body: Uint8Array;
  readonly proofs: Uint8Array;
  readonly networkId: NetworkId;
};

export function freshSecrets(operators: number): DevnetSecrets {
  return {
    operators: Array.from({ length: operators }, freshOperatorKeys),
    guardians: Array.from({ length: 5 }, freshSecret),
    users: [freshSecret(), freshSecret()],
    deployer: freshSecret(),
  };
}

/** `now` in ms; `change` replaces parameters of the preset. */
export function makeGenesis(
  secrets: DevnetSecrets,
  bls: Bls,
  now: number,
  change: Partial<Params> = {},
): Devnet {
  const body = encodeGenesisBody(genesisBody(secrets, bls, now, change));
  const networkId = sha256(body) as Uint8Array as NetworkId;
  const proofs = secrets.operators.map((keys) => possession(networkId, keys, bls));
  return { secrets, body, proofs: encodeProofs(networkId, proofs), networkId };
}

function genesisBody(
  secrets: DevnetSecrets,
  bls: Bls,
  now: number,
  change: Partial<Params>,
): GenesisBody {
  const ethereum = bytes32(bigEndian(anvilChainId, 32));
  const bitcoin = sha256d(regtestBlock0);
  const deployer = addressOf(publicPoint(secrets.deployer));
  return {
    name: "causeway-devnet",
    time: now,
    params: { ...devnetParams, ...change },
    validators: secrets.operators.map((keys) => publicKeys(keys, bls)),
    guardians: { keys: secrets.guardians.map(publicPoint), threshold: 3 },
    // The guardians' keys, for nobody on a devnet keeps others.
    migration: { root: zero32, rows: 0, total: 0n },
    foundation: {
      keys: secrets.guardians.map((secret) => addressOf(publicPoint(secret))),
      threshold: 3,
      vestingEpochs: 365,
    },
    bitcoin: {
      kind: "bitcoin",
      chain: bitcoin,
      network: "regtest",
      checkpoint: { height: 0, header: regtestBlock0, periodStart: regtestBlock0Time },
    },
    evm: [
      {
        kind: "evm",
        chain: ethereum,
        chainId: BigInt(anvilChainId),
        gateway: createAddress(deployer, 0),
        templateHash: templateHash(artifact("Gateway")),
      },
    ],
    assets: [
      {
        symbol: "BBTC",
        decimals: 8,
        chain: bitcoin,
        token: new Uint8Array(20),
        exports: [{ chain: ethereum, token: createAddress(deployer, 1) }],
        // Prices are 1:1 in test units.
        price: { btm: 1n, units: 1n },
      },
    ],
    balances: secrets.users.map((secret) => ({ lock: lockOf(secret), amount: faucet })),
  };
}

/** The ledger lock of a person's key (FMT-4). */
export function lockOf(secret: Uint8Array): Bytes32 {
  return lockOfAddress(addressOf(publicPoint(secret)));
}

function publicKeys(keys: OperatorKeys, bls: Bls): GenesisValidator {
  return {
    owner: lockOf(keys.owner),
    stake,
    consensusKey: bls.publicKey(keys.node.consensus),
    attestKey: bls.publicKey(keys.signer.attest),
    relayKey: publicPoint(keys.gateway.relay),
    hostKey: publicPoint(keys.signer.host),
    nodePeerKey: publicPoint(keys.node.peer),
    signerPeerKey: publicPoint(keys.signer.peer),
  };
}

function possession(network: NetworkId, keys: OperatorKeys, bls: Bls): Proofs {
  const validator = publicKeys(keys, bls);
  const secrets = {
    consensusKey: keys.node.consensus,
    attestKey: keys.signer.attest,
    relayKey: keys.gateway.relay,
    hostKey: keys.signer.host,
    nodePeerKey: keys.node.peer,
    signerPeerKey: keys.signer.peer,
  };
  const sign = (role: (typeof keyRoleNames)[number]): Uint8Array =>
    signPossession(network, validator, role, secrets[role], bls);
  return Object.fromEntries(keyRoleNames.map((role) => [role, sign(role)])) as Proofs;
}

export type { Genesis };
