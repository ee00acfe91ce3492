// The genesis: two files. The body, whose SHA-256 is networkId, and the proofs of possession over it,
// checked on every load (FMT-1). All constants of the network are here or in the state (GOV-1).
import type { Bytes32, NetworkId } from "@causeway/primitives";

/** STK-1. Hex in the file, bytes here. `owner` is a ledger lock; keys: BLS 48 bytes, secp256k1 33 bytes. */
export type GenesisValidator = {
  readonly owner: Bytes32;
  readonly stake: bigint;
  readonly consensusKey: Uint8Array;
  readonly attestKey: Uint8Array;
  readonly relayKey: Uint8Array;
  readonly hostKey: Uint8Array;
  /** secp256k1 public keys of the libp2p identities of node and signer. */
  readonly nodePeerKey: Uint8Array;
  readonly signerPeerKey: Uint8Array;
};

/** A wrapped asset: `chain` and `token` of its origin (token zero: the chain's own coin). */
export type RegistryAsset = {
  readonly symbol: string;
  readonly decimals: number;
  readonly chain: Bytes32;
  readonly token: Uint8Array;
  /** Where the wrapped form exists besides our ledger: EVM chain -> ERC-20 address. */
  readonly exports: readonly { readonly chain: Bytes32; readonly token: Uint8Array }[];
  /**
   * `units` of it are worth `btm` units of BTM: what it pays fees at (ACC-2), and what custody of it counts as (RNG-7).
   * `btm` 0: it has no price, pays no fees, and no bond bounds it.
   */
  readonly price: { readonly btm: bigint; readonly units: bigint };
};

export type BitcoinChain = {
  readonly kind: "bitcoin";
  /** Hash of block 0, internal order (FMT-8). */
  readonly chain: Bytes32;
  readonly network: "regtest" | "testnet4" | "mainnet";
  /** WIT-4: header (80 bytes) at `height`, from which the ledger's header chain grows. Its `work` counts as 0.
   * For retargets the timestamp of the first block of the checkpoint's period is `periodStart` (seconds). */
  readonly checkpoint: {
    readonly height: number;
    readonly header: Uint8Array;
    readonly periodStart: number;
  };
};

export type EvmChain = {
  readonly kind: "evm";
  /** EIP-155 id, also as bytes32 big-endian in `chain` (FMT-8). */
  readonly chain: Bytes32;
  readonly chainId: bigint;
  /** ETH-3: CREATE address of the gateway; tokens are in the assets' exports. */
  readonly gateway: Uint8Array;
  /** keccak-256 of the gateway's runtime code with its immutables zeroed. */
  readonly templateHash: Bytes32;
};

/** Constants of the network; (p) in PROTOCOL. Times in ms, rates in sat/kvB. Presets in params/. */
export type Params = {
  /** CON-3: how long a committee serves, ledger time. */
  readonly epochMs: number;
  /** CON-2: voting seats; the validators of most stake have them. */
  readonly seats: number;
  /** STK: validators that stand by, those of most stake after the seats. */
  readonly standbySeats: number;
  /** BTM units that a validator has of its own, and that anybody delegates at once, at least. */
  readonly selfStakeMin: bigint;
  readonly delegationMin: bigint;
  /** STK-2: from the end of the last epoch whose fixed sets may hold the validator. */
  readonly unbondingMs: number;
  /** STK-3: BTM units a year, of which the stakers get at most this part of what earns, in basis points. */
  readonly issuanceMax: bigint;
  readonly yieldMaxBps: number;
  /** The stakers' least part of it, however few stake: 10,000 is a fixed pool, of which the foundation gets nothing. */
  readonly stakersLeastBps: number;
  /** What the formal and the standby validators get of an epoch's rewards, as parts of their sum. */
  readonly formalWeight: number;
  readonly standbyWeight: number;
  /** CON-4: what proposers get of it for late votes, if they add every vote of the epoch. */
  readonly lateVoteBps: number;
  /** STK-2: what a contradiction costs, in basis points of all stake behind it, and what of that the reporter gets. */
  readonly slashBps: number;
  readonly reporterBps: number;
  /** BCN-3: how long contributions are taken, ledger time, and the steps that one takes on average. */
  readonly beaconWindowMs: number;
  readonly beaconDifficulty: number;
  /** BCN-3: the delay is so many segments of so many steps; who does not post in his turn has lost it after the time. */
  readonly beaconSegments: number;
  readonly beaconSegmentSteps: number;
  readonly beaconTurnMs: number;
  /** What contributors get of an epoch's rewards, if every seat contributes. */
  readonly beaconBps: number;
  /** CON-4: blocks over which missed votes are counted, how many are too many, and how long the jail is then. */
  readonly missedWindow: number;
  readonly missedMax: number;
  readonly jailMs: number;
  /** CON-7: weight of the envelopes that one (validator, role) may bring in an epoch. */
  readonly envelopeQuota: number;
  readonly blockIntervalMs: number;
  readonly heartbeatMs: number;
  /** TIM-1: precision + message delay. */
  readonly clockToleranceMs: number;
  readonly proposeTimeoutMs: number;
  readonly voteTimeoutMs: number;
  readonly timeoutDeltaMs: number;
  readonly creditDepth: number;
  readonly finalDepth: number;
  /** BTC-2's E, sats. */
  readonly loanLimit: bigint;
  readonly depositMin: bigint;
  readonly depositCap: bigint;
  readonly withdrawalMin: bigint;
  readonly feeRateInitial: number;
  /** BTC-4. */
  readonly minCoin: bigint;
  readonly vaultCoins: number;
  readonly reclaimMarginBlocks: number;
  readonly loanOverdueBlocks: number;
  /** ETH-2. */
  readonly stipend: number;
  readonly overhead: number;
  /** Quoted cost of one EVM item in the asset's unit (a genesis price until oracles come). */
  readonly evmItemFee: bigint;
  /** RNG-4. */
  readonly ceremonyWindowMs: number;
  /** RNG-1, RNG-2: seats of an elected ring, and the epochs it serves; 0: the ring of the genesis stays. */
  readonly ringSeats: number;
  readonly ringTermEpochs: number;
  /** Epochs for which one has been a candidate before it may have a seat. */
  readonly ringCooldownEpochs: number;
  /** RNG-2: terms after its own for which a Bitcoin key is reshared and deposits to it are credited. */
  readonly ringRetireTerms: number;
  /** RNG-2: a seat lives for so long after its signer's last heart-beat. */
  readonly ringHeartbeatMs: number;
  /** RNG-3: what is burnt of the stake behind a dealer that cheats or a complainer that lies. */
  readonly ringSlashBps: number;
  /**
   * RNG-7: the part of all stake behind a validator that answers for each key it has a seat of, basis points (0: there
   * are no bonds), and the most that may be in custody under a key of the value of its bonds, basis points. An asset
   * counts at its price.
   */
  readonly ringBondBps: number;
  readonly ringCustodyBps: number;
  /** ACC-2: what the ring's seats get of a transfer, besides what it costs, in basis points of that. */
  readonly ringFeeBps: number;
  /** RNG-6. */
  readonly finalityAgeMaxMs: number;
  /** ACC-2: BTM units per 1,000 of weight, burnt: of block 1, and the least ever. */
  readonly baseFeeInitial: bigint;
  readonly baseFeeMin: bigint;
  /** Weight of a block's paid transactions: the most, and that at which the base fee stays. */
  readonly weightMax: number;
  readonly weightTarget: number;
  readonly expiryMaxMs: number;
  readonly requestTtlMs: number;
  /** GOV-1: what loosens a limit or adds an asset waits so long, besides its epoch. */
  readonly govDelayMs: number;
  /** GOV-2: how long one guardian slows interchain transfers, and how long that guardian then rests at least. */
  readonly slowModeMs: number;
  readonly slowModeRestMs: number;
  /** GOV-2: how long a pause lasts, and how long it then needs the committee to begin again. */
  readonly pauseMs: number;
};

export type Genesis = {
  readonly networkId: NetworkId;
  readonly name: string;
  readonly time: number;
  readonly params: Params;
  readonly validators: readonly GenesisValidator[];
  /** BTC-1, GOV-2: x-only-capable secp256k1 points (33 bytes) in their order, and m of them. */
  readonly guardians: { readonly keys: readonly Uint8Array[]; readonly threshold: number };
  /**
   * STK-3: whose the rest of the issuance is, `threshold` of addresses of 20 bytes (the lock itself names the network,
   * which names this file), and over how many epochs each part of it vests.
   */
  readonly foundation: {
    readonly keys: readonly Uint8Array[];
    readonly threshold: number;
    readonly vestingEpochs: number;
  };
  readonly bitcoin: BitcoinChain;
  readonly evm: readonly EvmChain[];
  readonly assets: readonly RegistryAsset[];
  /**
   * Balances of an older chain, too many to list: the root of their Merkle tree (migration/merkle.ts), how many rows it
   * has, and what they add up to. Whoever has a row and its path brings it to the ledger. No rows: nothing migrates.
   */
  readonly migration: { readonly root: Bytes32; readonly rows: number; readonly total: bigint };
  /** Initial BTM: lock -> amount (8 decimals). */
  readonly balances: readonly { readonly lock: Bytes32; readonly amount: bigint }[];
};
