// What a genesis of the right shape must hold besides: distinct keys, chains that are what they say, parameters
// that go together.
import {
  amountMax,
  bigEndian,
  equal,
  fromHex,
  isZero,
  keyOf,
  reversed,
  sha256d,
} from "@causeway/primitives";
import { isPoint } from "@causeway/primitives/secp256k1";
import { btmSymbol } from "./assets.ts";
import type { BitcoinChain, Genesis, Params } from "./genesis.ts";
import type { Place } from "./genesis-reader.ts";
import { below, mistake } from "./genesis-reader.ts";
import { lockTerms } from "./locks.ts";
import { keyRoleNames, keyRoles } from "./possession.ts";
import { liableEpochsMax } from "./staking/fixed.ts";

/** FMT-8: block 0 of each Bitcoin network, internal order (Bitcoin Core's chainparams.cpp, there reversed). */
export const bitcoinGenesisHashes: { readonly [Network in BitcoinChain["network"]]: Uint8Array } = {
  mainnet: reversed(fromHex("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f")),
  testnet4: reversed(fromHex("00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043")),
  regtest: reversed(fromHex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")),
};

/** Notes every mistake in a body of the right shape. */
export function checkGenesis(genesis: Genesis, place: Place): void {
  checkValidators(genesis, below(place, "validators"));
  checkGuardians(genesis, below(place, "guardians"));
  checkFoundation(genesis, below(place, "foundation"));
  checkBitcoin(genesis.bitcoin, below(place, "bitcoin"));
  checkEvm(genesis, below(place, "evm"));
  checkAssets(genesis, below(place, "assets"));
  checkBalances(genesis, place);
  checkParams(genesis.params, below(place, "params"));
}

/** Notes the later of two equal values; gives true for a new one. */
function once(seen: Map<string, string>, value: Uint8Array | string, place: Place): boolean {
  const key = typeof value === "string" ? value : keyOf(value);
  const before = seen.get(key);
  if (before !== undefined) mistake(place, `is the same as ${before}`);
  else seen.set(key, place.path);
  return before === undefined;
}

function checkValidators({ validators }: Genesis, place: Place): void {
  const owners = new Map<string, string>();
  const keys = new Map<string, string>();
  for (const [i, validator] of validators.entries()) {
    const at = below(place, i);
    once(owners, validator.owner, below(at, "owner"));
    for (const role of keyRoleNames) {
      const where = below(at, role);
      once(keys, validator[role], where);
      if (keyRoles[role].scheme === "secp256k1" && !isPoint(validator[role]))
        mistake(where, "is no point of secp256k1");
    }
  }
}

function checkGuardians({ guardians }: Genesis, place: Place): void {
  const keys = new Map<string, string>();
  for (const [i, key] of guardians.keys.entries()) {
    const at = below(below(place, "keys"), i);
    // The vault leaf holds the x alone: two keys of one x would be one guardian with two votes.
    once(keys, key.subarray(1), at);
    if (!isPoint(key)) mistake(at, "is no point of secp256k1");
  }
  if (guardians.threshold > guardians.keys.length)
    mistake(below(place, "threshold"), `above the ${guardians.keys.length} guardians`);
}

function checkFoundation({ foundation }: Genesis, place: Place): void {
  const { keys, threshold } = foundation;
  const terms = lockTerms(keys, threshold);
  if ("code" in terms) mistake(place, terms.message);
}

function checkBitcoin({ chain, network, checkpoint }: BitcoinChain, place: Place): void {
  if (!equal(chain, bitcoinGenesisHashes[network]))
    mistake(below(place, "chain"), `is not the hash of block 0 of ${network} in internal order`);
  const hash = sha256d(checkpoint.header);
  if (checkpoint.height === 0 && !equal(hash, chain))
    mistake(below(place, "checkpoint.header"), "at height 0 is not block 0");
}

function checkEvm({ evm }: Genesis, place: Place): void {
  const chains = new Map<string, string>();
  for (const [i, { chain, chainId, gateway }] of evm.entries()) {
    const at = below(place, i);
    once(chains, chain, below(at, "chain"));
    if (!equal(chain, bigEndian(chainId, 32)))
      mistake(below(at, "chain"), `is not chain id ${chainId} in 32 bytes big-endian`);
    if (isZero(gateway)) mistake(below(at, "gateway"), "is the zero address");
  }
}

function checkAssets({ assets, bitcoin, evm }: Genesis, place: Place): void {
  const symbols = new Map<string, string>([[btmSymbol, "the ledger's own coin"]]);
  const origins = new Map<string, string>();
  const tokens = new Map<string, string>();
  for (const [i, { symbol, chain, token, exports }] of assets.entries()) {
    const at = below(place, i);
    const isBitcoin = equal(chain, bitcoin.chain);
    once(symbols, symbol, below(at, "symbol"));
    once(origins, `${keyOf(chain)}:${keyOf(token)}`, below(at, "token"));
    if (!isBitcoin && !evm.some((other) => equal(other.chain, chain)))
      mistake(below(at, "chain"), "is no chain of this genesis");
    if (isBitcoin && !isZero(token)) mistake(below(at, "token"), "Bitcoin has no tokens");
    for (const [j, exported] of exports.entries()) {
      const where = below(below(at, "exports"), j);
      once(tokens, `${keyOf(exported.chain)}:${keyOf(exported.token)}`, where);
      if (!evm.some((other) => equal(other.chain, exported.chain)))
        mistake(below(where, "chain"), "is no EVM chain of this genesis");
      if (equal(exported.chain, chain)) mistake(below(where, "chain"), "is the asset's origin");
      if (isZero(exported.token)) mistake(below(where, "token"), "is the zero address");
    }
  }
}

function checkBalances({ balances, validators, migration }: Genesis, place: Place): void {
  const paid = balances.reduce((sum, { amount }) => sum + amount, 0n);
  const bonded = validators.reduce((sum, { stake }) => sum + stake, 0n);
  if (migration.rows === 0 && migration.total > 0n)
    mistake(below(place, "migration.total"), "of no rows");
  if (paid + bonded + migration.total > amountMax)
    mistake(below(place, "balances"), "with all stake exceed 2^128 - 1");
}

/** Pairs of parameters of which the first is at most the second. */
const ordered: readonly (readonly [keyof Params, keyof Params, string])[] = [
  ["blockIntervalMs", "heartbeatMs", "a heartbeat is a block, too"],
  ["creditDepth", "finalDepth", "what is credited is not yet final"],
  ["depositMin", "depositCap", "no deposit would fit"],
  ["heartbeatMs", "expiryMaxMs", "transactions would expire between two blocks"],
  ["weightTarget", "weightMax", "the base fee would never rise"],
  ["baseFeeMin", "baseFeeInitial", "a base fee is never below it"],
  ["blockIntervalMs", "ceremonyWindowMs", "a window needs a block"],
  ["missedMax", "missedWindow", "nobody could ever be jailed"],
];

/** What of the parameters does not go together, each being in its own range. */
export function inconsistencies(
  params: Params,
): readonly { readonly name: keyof Params; readonly why: string }[] {
  const wrong = ordered
    .filter(([small, large]) => params[small] > params[large])
    .map(([name, large, why]) => ({ name, why: `above ${large}: ${why}` }));
  // CON-4: a vote may come so late that the window had ended before it is missed.
  if (params.missedWindow < 4 * params.seats)
    wrong.push({ name: "missedWindow", why: "less than four times the seats (CON-4)" });
  // STK-2: what the ledger remembers of committees must reach as far as stake answers for them.
  if (params.unbondingMs > (liableEpochsMax - 2) * params.epochMs)
    wrong.push({ name: "unbondingMs", why: `more than ${liableEpochsMax - 2} epochs (STK-2)` });
  // RNG-7: a slash must still reach who left at the start of a term when stake of its end is free.
  const { ringTermEpochs, epochMs, unbondingMs } = params;
  const isBonded = params.ringBondBps > 0 && ringTermEpochs > 0;
  if (isBonded && ringTermEpochs * epochMs + unbondingMs > (liableEpochsMax - 2) * epochMs)
    wrong.push({ name: "ringTermEpochs", why: "too long for bonds of the ring (RNG-7)" });
  // CON-1: else finality is too old for the ring to sign on a quiet ledger (RNG-6).
  if (params.heartbeatMs * 3 > params.finalityAgeMaxMs)
    wrong.push({ name: "heartbeatMs", why: "more than a third of finalityAgeMaxMs (CON-1)" });
  return wrong;
}

function checkParams(params: Params, place: Place): void {
  for (const { name, why } of inconsistencies(params)) mistake(below(place, name), why);
}

/** What is wrong with the assets of a genesis of which the rest is right. */
export function assetMistakes(genesis: Genesis): readonly string[] {
  const mistakes: string[] = [];
  checkAssets(genesis, { path: "assets", mistakes });
  return mistakes;
}
