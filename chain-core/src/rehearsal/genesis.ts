// A network that nobody else knows: fresh keys, the devnet's parameters, rings of the size that is rehearsed.
import type { Bls, Bytes32, NetworkId } from "@causeway/primitives";
import { bigEndian, bytes32, fromHex, sha256, zero32 } from "@causeway/primitives";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import { lockOfAddress } from "../ledger/assets.ts";
import type { Genesis, GenesisValidator } from "../ledger/genesis.ts";
import { bitcoinGenesisHashes } from "../ledger/genesis-check.ts";
import type { GenesisBody } from "../ledger/genesis-file.ts";
import { encodeGenesisBody } from "../ledger/genesis-file.ts";
import { devnetParams } from "../params/devnet.ts";

/** One who could have seats; the secrets are of 32 bytes each. */
export type ScratchValidator = {
  readonly stake: bigint;
  readonly consensus: Bytes32;
  readonly attest: Bytes32;
  readonly host: Bytes32;
  readonly signerPeer: Bytes32;
};

export type ScratchNetwork = {
  readonly genesis: Genesis;
  /** In the order of the register. */
  readonly validators: readonly ScratchValidator[];
};

/**
 * The genesis' ring has a seat for each validator, later ones `ringSeats`, drawn from the stakes. `draw` gives 32 fresh
 * bytes at each call. An epoch is a minute, a term two.
 */
export function scratchNetwork(
  bls: Bls,
  draw: () => Bytes32,
  of: { readonly stakes: readonly bigint[]; readonly ringSeats: number },
): ScratchNetwork {
  const secret = (): Bytes32 => {
    const bytes = draw();
    // Below the orders of both curves.
    bytes[0] = 1;
    return bytes;
  };
  const validators = of.stakes.map((stake) => ({
    stake,
    consensus: secret(),
    attest: secret(),
    host: secret(),
    signerPeer: secret(),
  }));
  const body = bodyOf(bls, secret, validators, of.ringSeats);
  const networkId = sha256(encodeGenesisBody(body)) as Uint8Array as NetworkId;
  return { genesis: { networkId, ...body }, validators };
}

function bodyOf(
  bls: Bls,
  secret: () => Bytes32,
  validators: readonly ScratchValidator[],
  ringSeats: number,
): GenesisBody {
  const chain = bytes32(bitcoinGenesisHashes.regtest);
  const evmChain = bytes32(bigEndian(31_337, 32));
  const address = (): Uint8Array => addressOf(publicPoint(secret()));
  const header =
    `01000000${"00".repeat(32)}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a` +
    "dae5494dffff7f2002000000";
  return {
    name: "rehearsal",
    time: 1_800_000_000_000,
    params: {
      ...devnetParams,
      ringSeats,
      epochMs: 60_000,
      ringTermEpochs: 2,
      ringHeartbeatMs: 3_600_000,
    },
    validators: validators.map((one) => publicKeys(bls, one, secret)),
    guardians: { keys: Array.from({ length: 5 }, () => publicPoint(secret())), threshold: 3 },
    migration: { root: zero32, rows: 0, total: 0n },
    foundation: { keys: [address()], threshold: 1, vestingEpochs: 4 },
    bitcoin: {
      kind: "bitcoin",
      chain,
      network: "regtest",
      checkpoint: { height: 0, header: fromHex(header), periodStart: 1_296_688_602 },
    },
    evm: [
      {
        kind: "evm",
        chain: evmChain,
        chainId: 31_337n,
        gateway: address(),
        templateHash: zero32,
      },
    ],
    assets: [
      {
        symbol: "BBTC",
        decimals: 8,
        chain,
        token: new Uint8Array(20),
        exports: [{ chain: evmChain, token: address() }],
        price: { btm: 1n, units: 1n },
      },
    ],
    balances: [],
  };
}

/** Relay and node are not rehearsed: nobody has their secrets. */
function publicKeys(
  bls: Bls,
  { stake, consensus, attest, host, signerPeer }: ScratchValidator,
  secret: () => Bytes32,
): GenesisValidator {
  return {
    owner: lockOfAddress(addressOf(publicPoint(secret()))),
    stake,
    consensusKey: bls.publicKey(consensus),
    attestKey: bls.publicKey(attest),
    relayKey: publicPoint(secret()),
    hostKey: publicPoint(host),
    nodePeerKey: publicPoint(secret()),
    signerPeerKey: publicPoint(signerPeer),
  };
}
