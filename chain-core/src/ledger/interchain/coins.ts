// The ring's Bitcoin outputs as the ledger counts them (ACC-1), and what a reorganisation does to them (WIT-4):
// a counted coin whose block leaves the best chain is taken from the reserve, and refills it when it is back.
import { assert, equal } from "@causeway/primitives";
import type { Coin, Inbound } from "../../interchain/records.ts";
import {
  coinKinds,
  coinStatus,
  coins,
  inboundReasons,
  inboundStatus,
  inbounds,
  listNames,
  outpoint,
} from "../../interchain/records.ts";
import { currentKeys } from "../../ring/records.ts";
import type { Genesis } from "../genesis.ts";
import { allowance } from "../ring/liability-custody.ts";
import type { Room } from "../ring/liability-records.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import type { WrappedAsset } from "./accounting.ts";
import { accountOf, append, assetFrom, halt, listOf, lose, move, removeAll } from "./accounting.ts";
import { bestHash, bitcoinTip } from "./header-chain.ts";

const noToken = new Uint8Array(20);

/** The asset that bitcoins become; undefined in a network without one. */
export function bitcoinAsset(genesis: Genesis): WrappedAsset | undefined {
  return assetFrom(genesis, genesis.bitcoin.chain, noToken);
}

/** A coin with the key of its record. */
export type Held = { readonly name: Uint8Array; readonly coin: Coin };

/** Every coin that no final transaction has spent, in the order in which they came. */
export function heldCoins(state: StateReader): Held[] {
  const held: Held[] = [];
  for (const name of listOf(state, listNames.coins)) {
    const coin = coins.get(state, name);
    if (coin !== undefined) held.push({ name, coin });
  }
  return held;
}

/** The block of the best chain that a deposit was stated in, if any. */
export function bestCandidate(
  state: StateReader,
  { candidates }: Inbound,
): Inbound["candidates"][number] | undefined {
  return candidates.findLast(({ blockHash, height }) => {
    const best = bestHash(state, height);
    return best !== undefined && equal(best, blockHash);
  });
}

/** The coin of a deposit that can be credited; not counted before its credit. */
export function openDepositCoin(
  { state }: BlockContext,
  id: Uint8Array,
  inbound: Inbound,
  at: { readonly blockHash: Uint8Array; readonly height: number },
): Coin {
  const { txid, index, amount, keyId } = inbound;
  const coin: Coin = {
    txid,
    vout: index,
    amount,
    keyId,
    kind: coinKinds.deposit,
    status: coinStatus.live,
    counted: false,
    blockHash: at.blockHash,
    height: at.height,
    origin: id,
    lineage: new Uint8Array(0),
  };
  addCoin(state, coin);
  return coin;
}

function addCoin(state: BlockContext["state"], coin: Coin): void {
  const name = outpoint(coin.txid, coin.vout);
  assert(coins.get(state, name) === undefined, "a coin twice");
  coins.put(state, name, coin);
  append(state, listNames.coins, name);
}

/** An output of ours to a vault, counted from the block that makes its transaction final. */
export function openVaultCoin({ state }: BlockContext, coin: Omit<Coin, "kind" | "status">): void {
  addCoin(state, { ...coin, kind: coinKinds.vault, status: coinStatus.live });
}

/** A final transaction spent them; their records stay, so that they are never taken for new. */
export function closeCoins({ state }: BlockContext, spent: readonly Held[]): void {
  for (const { name, coin } of spent)
    coins.put(state, name, { ...coin, status: coinStatus.spent, counted: false });
  removeAll(
    state,
    listNames.coins,
    spent.map(({ name }) => name),
  );
}

/** Bound to a lineage, or free: what the status is when the coin's block is on the best chain. */
function statusHere({ lineage }: Coin): number {
  return lineage.length > 0 ? coinStatus.bound : coinStatus.live;
}

/** What a walk over all coins finds. */
export type Review = {
  /** A credited coin has been unswept for too long: E is 0 (BTC-2). */
  readonly isOverdue: boolean;
  /** Grows by what the block admits (RNG-7). */
  readonly room: Room;
};

/** Follows the best chain with every coin (WIT-4). */
export function reviewCoins(block: BlockContext): Review {
  const { genesis, state, params } = block;
  const tip = bitcoinTip(genesis, state);
  const keyId = currentKeys.get(state, genesis.bitcoin.chain)?.keyId;
  const room = { custody: 0n, ...allowance(block, bitcoinAsset(genesis)?.id, keyId) };
  let isOverdue = false;
  for (const held of heldCoins(state)) {
    const coin = reviewCoin(block, held);
    if (isAdmitted(state, coin)) room.custody += coin.amount;
    const isLoan = coin.kind === coinKinds.deposit && coin.counted;
    if (isLoan && tip.height - coin.height > params.loanOverdueBlocks) isOverdue = true;
  }
  return { isOverdue, room };
}

/** RNG-7: counted as custody: all coins but the deposits that wait for room. */
function isAdmitted(state: StateReader, { kind, counted, origin }: Coin): boolean {
  if (counted || kind !== coinKinds.deposit) return true;
  return inbounds.get(state, origin)?.reason !== inboundReasons.bondLimit;
}

function reviewCoin(block: BlockContext, held: Held): Coin {
  const { state } = block;
  const { coin } = held;
  const best = bestHash(state, coin.height);
  if (best !== undefined && equal(best, coin.blockHash))
    return coin.status === coinStatus.missing ? restoreCoin(block, held, coin) : coin;
  const inbound = coin.kind === coinKinds.deposit ? inbounds.get(state, coin.origin) : undefined;
  const at = inbound && bestCandidate(state, inbound);
  if (at === undefined) return coin.status === coinStatus.missing ? coin : loseCoin(block, held);
  const { blockHash, height } = at;
  return restoreCoin(block, held, { blockHash, height });
}

function loseCoin({ genesis, state }: BlockContext, { name, coin }: Held): Coin {
  const missing: Coin = { ...coin, status: coinStatus.missing, counted: false };
  coins.put(state, name, missing);
  const asset = bitcoinAsset(genesis);
  if (!coin.counted || asset === undefined) return missing;
  const isLoan = coin.kind === coinKinds.deposit;
  lose(state, asset.id, coin.amount, { unswept: isLoan ? -coin.amount : 0n });
  return missing;
}

/** A coin is on the best chain again, in the same block or in another; its credit is not repeated. */
export function restoreCoin(
  { genesis, state }: BlockContext,
  { name, coin }: Held,
  at: { readonly blockHash: Uint8Array; readonly height: number },
): Coin {
  const isDeposit = coin.kind === coinKinds.deposit;
  const isOwed = !isDeposit || isCredited(inbounds.get(state, coin.origin));
  const back: Coin = {
    ...coin,
    blockHash: at.blockHash,
    height: at.height,
    status: statusHere(coin),
    counted: isOwed,
  };
  coins.put(state, name, back);
  const asset = bitcoinAsset(genesis);
  if (coin.counted || !isOwed || asset === undefined) return back;
  const unswept = isDeposit ? coin.amount : 0n;
  move(state, asset.id, { coins: coin.amount, reserve: coin.amount, unswept });
  return back;
}

export function isCredited(inbound: Inbound | undefined): boolean {
  const { minted, forwarded, refunded } = inboundStatus;
  return (
    inbound !== undefined && [minted, forwarded, refunded].some((one) => one === inbound.status)
  );
}

/**
 * The coins of the asset add up to its account, and those on loan to `unswept`; else it halts (ACC-1). Gives the keys
 * that hold counted coins (RNG-7).
 */
export function checkCoins({ genesis, state }: BlockContext): ReadonlySet<number> {
  const loaded = new Set<number>();
  const asset = bitcoinAsset(genesis);
  if (asset === undefined) return loaded;
  let total = 0n;
  let onLoan = 0n;
  for (const { coin } of heldCoins(state)) {
    if (!coin.counted) continue;
    loaded.add(coin.keyId);
    total += coin.amount;
    if (coin.kind === coinKinds.deposit) onLoan += coin.amount;
  }
  const account = accountOf(state, asset.id);
  const isRight = account.coins === total && account.unswept === onLoan;
  if (!account.halted && !isRight) halt(state, asset.id);
  return loaded;
}
