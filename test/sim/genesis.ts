// The genesis of the simulated networks: four validators, regtest from the shared checkpoint, one EVM chain, users
// with BTM. Durations are simulated, so they cost nothing; keys are derived from names, so that a seed repeats.
import { readFileSync } from "node:fs";
import type { Bls, Bytes32, NetworkId } from "@causeway/primitives";
import { bigEndian, bytes32, concat, sha256, utf8, zero32 } from "@causeway/primitives";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import type { Artifact, GatewayCode } from "../../chain-core/src/interchain/ethereum/contract.ts";
import {
  createAddress,
  gatewayCodeHash,
  guardiansHash,
  parseGatewayCode,
  runtimeCode,
  templateHash,
} from "../../chain-core/src/interchain/ethereum/contract.ts";
import { lockOfAddress } from "../../chain-core/src/ledger/assets.ts";
import type { Genesis, GenesisValidator, Params } from "../../chain-core/src/ledger/genesis.ts";
import { bitcoinGenesisHashes } from "../../chain-core/src/ledger/genesis-check.ts";
import type { GenesisBody } from "../../chain-core/src/ledger/genesis-file.ts";
import { encodeGenesisBody } from "../../chain-core/src/ledger/genesis-file.ts";
import { devnetParams } from "../../chain-core/src/params/devnet.ts";
import { baseTimeMs, checkpoint } from "./bitcoin.ts";

export const operatorCount = 4;
export const startMs: number = baseTimeMs + 60_000;

const file = new URL("../../contracts/artifacts/Gateway.json", import.meta.url);
const artifact = JSON.parse(readFileSync(file, "utf8")) as Artifact;

/** Secret of 32 bytes named by `what`; its first byte keeps it below both curves' orders. */
export function secretOf(what: string): Bytes32 {
  const secret = sha256(utf8(`causeway simulation ${what}`));
  secret[0] = 1;
  return secret;
}

export function addressNamed(what: string): Uint8Array {
  return addressOf(publicPoint(secretOf(what)));
}

export function lockNamed(what: string): Bytes32 {
  return lockOfAddress(addressNamed(what));
}

export type Role = "consensus" | "attest" | "relay" | "host" | "node peer" | "signer peer";

export function operatorSecret(seat: number, role: Role): Bytes32 {
  return secretOf(`operator ${seat} ${role}`);
}

function validator(bls: Bls, seat: number): GenesisValidator {
  const point = (role: Role): Uint8Array => publicPoint(operatorSecret(seat, role));
  return {
    owner: lockNamed(`owner ${seat}`),
    stake: 1_000_000_00000000n,
    consensusKey: bls.publicKey(operatorSecret(seat, "consensus")),
    attestKey: bls.publicKey(operatorSecret(seat, "attest")),
    relayKey: point("relay"),
    hostKey: point("host"),
    nodePeerKey: point("node peer"),
    signerPeerKey: point("signer peer"),
  };
}

const evmChain = bytes32(bigEndian(31_337, 32));
const deployer = addressNamed("deployer");
export const tokenAddress: Uint8Array = createAddress(deployer, 1);

/** What differs from the devnet: fewer blocks for the same story. */
export const simParams: Params = {
  ...devnetParams,
  heartbeatMs: 15_000,
  proposeTimeoutMs: 1_000,
  depositMin: 20_000n,
};

/** Epochs so short that several of them pass, with walks of some ms. Each try solves: who is first is not the question. */
export const beaconParams: Partial<Params> = {
  epochMs: 12_000,
  heartbeatMs: 3_000,
  beaconWindowMs: 4_000,
  beaconDifficulty: 256,
  beaconSegments: 2,
  beaconSegmentSteps: 32,
  beaconTurnMs: 1_000,
};

/** `users` have BTM for fees. */
export function simGenesis(bls: Bls, params: Partial<Params>, users: readonly string[]): Genesis {
  const body: GenesisBody = {
    name: "simulation",
    time: baseTimeMs,
    params: { ...simParams, ...params },
    validators: Array.from({ length: operatorCount }, (_, seat) => validator(bls, seat)),
    guardians: {
      keys: Array.from({ length: 5 }, (_, i) => publicPoint(secretOf(`guardian ${i}`))),
      threshold: 3,
    },
    migration: { root: zero32, rows: 0, total: 0n },
    foundation: {
      keys: Array.from({ length: 5 }, (_, i) => addressOf(publicPoint(secretOf(`guardian ${i}`)))),
      threshold: 3,
      vestingEpochs: 365,
    },
    bitcoin: {
      kind: "bitcoin",
      chain: bytes32(bitcoinGenesisHashes.regtest),
      network: "regtest",
      checkpoint: checkpoint(),
    },
    evm: [
      {
        kind: "evm",
        chain: evmChain,
        chainId: 31_337n,
        gateway: createAddress(deployer, 0),
        templateHash: templateHash(artifact),
      },
    ],
    assets: [
      {
        symbol: "BBTC",
        decimals: 8,
        chain: bytes32(bitcoinGenesisHashes.regtest),
        token: new Uint8Array(20),
        exports: [{ chain: evmChain, token: tokenAddress }],
        price: { btm: 1n, units: 1n },
      },
    ],
    balances: users.map((name) => ({ lock: lockNamed(name), amount: 100_00000000n })),
  };
  return { networkId: sha256(encodeGenesisBody(body)) as Uint8Array as NetworkId, ...body };
}

/** The gateway's code as every operator's own Ethereum node shows it. */
export type Deployed = {
  readonly codeHash: Bytes32;
  readonly code: GatewayCode;
  readonly templateHash: Bytes32;
};

export function deployedCode({ networkId, guardians }: Genesis): Deployed {
  const addresses = guardians.keys.map(addressOf);
  const words = {
    networkId: bytes32(networkId),
    guardiansHash: guardiansHash(addresses, guardians.threshold),
  };
  const code = parseGatewayCode(artifact, runtimeCode(artifact, words));
  if ("kind" in code) throw new Error(code.message);
  const codeHash = gatewayCodeHash(artifact, networkId, addresses, guardians.threshold);
  return { codeHash, code, templateHash: templateHash(artifact) };
}

/** 32 bytes that only these parts give. */
export function named(...parts: readonly (string | Uint8Array)[]): Bytes32 {
  return sha256(concat(...parts.map((part) => (typeof part === "string" ? utf8(part) : part))));
}
