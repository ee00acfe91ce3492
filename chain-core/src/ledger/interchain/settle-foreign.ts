// A coin of ours spent for good by a transaction that no plan contains (RNG-7). A spend by a leaf must wait out
// the leaf's delay, and shows that in its sequence number, which the txid covers; whatever does not show it was
// signed by the ring. So the stripped transaction is proof enough, and no witness is needed.
import { equal, must } from "@causeway/primitives";
import { reclaimDelay, vaultDelay } from "../../interchain/bitcoin/scripts.ts";
import type { BitcoinInput } from "../../interchain/bitcoin/transaction.ts";
import type { Coin } from "../../interchain/records.ts";
import {
  coinKinds,
  inboundReasons,
  inboundStatus,
  inbounds,
  plansByTxid,
} from "../../interchain/records.ts";
import { forfeit } from "../ring/liability.ts";
import type { BlockContext } from "../rule.ts";
import { halt, lose } from "./accounting.ts";
import type { Held } from "./coins.ts";
import { bitcoinAsset, closeCoins, isCredited } from "./coins.ts";
import { breakLineage } from "./lineage.ts";
import type { Settled } from "./settle-plan.ts";

/** BIP68: the sequence is no relative lock. */
const disableFlag = 0x8000_0000;
/** BIP68: the lock counts in time, not in blocks. */
const timeFlag = 0x0040_0000;
const lockMask = 0xffff;

export function spendUnplanned(block: BlockContext, held: Held, at: Settled): void {
  const { genesis, state, time } = block;
  const { coin } = held;
  const asset = must(bitcoinAsset(genesis), "asset of Bitcoin").id;
  const isDeposit = coin.kind === coinKinds.deposit;
  if (coin.counted) lose(state, asset, coin.amount, { unswept: isDeposit ? -coin.amount : 0n });
  closeCoins(block, [held]);
  const inbound = isDeposit ? inbounds.get(state, coin.origin) : undefined;
  if (inbound !== undefined && !isCredited(inbound))
    inbounds.put(state, coin.origin, {
      ...inbound,
      status: inboundStatus.reclaim,
      reason: inboundReasons.reclaimed,
      updatedAt: time,
    });
  if (!isByLeaf(coin, at)) {
    halt(state, asset);
    // What the ledger once planned is no theft, even where a reorganisation brings it after it was dead.
    if (plansByTxid.get(state, at.txid) === undefined) forfeit(block, coin.keyId);
  }
  breakLineage(block, coin);
}

/** True if the spend shows that it waited as long as the coin's leaf asks for. */
function isByLeaf(coin: Coin, { transaction, height }: Settled): boolean {
  const delay = coin.kind === coinKinds.deposit ? reclaimDelay : vaultDelay;
  const input = transaction.inputs.find(
    ({ txid, vout }) => equal(txid, coin.txid) && vout === coin.vout,
  );
  if (input === undefined || transaction.version < 2) return false;
  return isLocked(input, delay) && height >= coin.height + delay;
}

function isLocked({ sequence }: BitcoinInput, delay: number): boolean {
  const isRelative = sequence < disableFlag && (sequence & timeFlag) === 0;
  return isRelative && (sequence & lockMask) >= delay;
}
