// What becomes of inbound events at the end of a block: minted, forwarded, refunded, left to reclaim, or held
// until a limit allows (WIT-4, BTC-2, ACC-1, ACC-2). Only a credit uses up an event's id.
import { equal, isRejected, keyOf } from "@causeway/primitives";
import { checkAmount, creditId, routeOf, vaultsOf } from "../../interchain/policy.ts";
import type { Inbound } from "../../interchain/records.ts";
import {
  evmStates,
  inboundReasons,
  inboundStatus,
  inbounds,
  listNames,
  planKinds,
  plans,
  withdrawals,
} from "../../interchain/records.ts";
import { assetOf } from "../assets.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { addOutput } from "../utxo/outputs.ts";
import type { Movement } from "./accounting.ts";
import { accountOf, isHalted, listOf, move, putList } from "./accounting.ts";
import type { Review } from "./coins.ts";
import { creditDeposit } from "./credit-bitcoin.ts";
import type { Pending } from "./deliver.ts";
import {
  amountReasons,
  deliver,
  isEnded,
  isForwardFull,
  restrictedReason,
  setStatus,
} from "./deliver.ts";

/** Events whose status changes in one block; a chain may bring many thousands at once. */
const changesMax = 256;

/**
 * Looks at open inbound events in the order of their statements; those that ended leave the list. True if the
 * next block has more to do.
 */
export function creditInbounds(block: BlockContext, review: Review): boolean {
  const { genesis, state } = block;
  const ids = listOf(state, listNames.waiting);
  if (ids.length === 0) return false;
  const ringScripts = vaultsOf(genesis, state).map(({ script }) => script);
  const underWay = underWayIn(state);
  let changes = 0;
  const open = ids.filter((id) => {
    if (changes >= changesMax) return true;
    const inbound = inbounds.get(state, id);
    const registry = inbound && assetOf(genesis, inbound.asset)?.registry;
    if (inbound === undefined || registry === undefined || isEnded(inbound)) return false;
    const pending = { block, id, inbound, registry, ringScripts };
    const isBitcoin = equal(inbound.chain, genesis.bitcoin.chain);
    const after = isBitcoin ? creditDeposit(pending, review) : creditTransfer(pending, underWay);
    if (after !== inbound) changes += 1;
    return !isEnded(after);
  });
  if (open.length !== ids.length) putList(state, listNames.waiting, open);
  return changes >= changesMax;
}

/** A transfer out of a gateway contract: `Deposited` brings coins, `Burned` brings exported value home. */
function creditTransfer(pending: Pending, underWay: UnderWay): Inbound {
  const { block, inbound, registry, ringScripts } = pending;
  const { genesis, state, params } = block;
  if (isHalted(state, inbound.asset))
    return setStatus(pending, inboundStatus.held, inboundReasons.halted);
  const restricted = restrictedReason(pending);
  if (restricted !== 0) return setStatus(pending, inboundStatus.held, restricted);
  // Until then it is not known to be the gateway that says so (ETH-3).
  if (evmStates.get(state, inbound.chain)?.stated !== true)
    return setStatus(pending, inboundStatus.waiting, 0);
  const { amount } = inbound;
  const isHome = equal(registry.chain, inbound.chain);
  if (!isHome && isAhead(pending, underWay)) return setStatus(pending, inboundStatus.waiting, 0);
  const movement: Movement = isHome ? { coins: amount } : { exported: -amount };
  const route = routeOf(genesis, registry, inbound.destination, ringScripts);
  if (isRejected(route)) return refund(pending, movement, inboundReasons.badDestination);
  if (route.kind === "ledger") return deliver(pending, { route, net: amount, fee: 0n, movement });
  const bad = checkAmount(params, route, inbound);
  if (bad !== undefined) return refund(pending, movement, amountReasons[bad.code]);
  if (isForwardFull(pending, route))
    return setStatus(pending, inboundStatus.held, inboundReasons.queueFull);
  return deliver(pending, { route, net: amount, fee: 0n, movement });
}

/** Value that batches take to a chain and that have not run there, as far as the ledger knows. */
type UnderWay = (chain: Uint8Array, asset: Uint8Array) => bigint;

/**
 * Value that came back before the ledger has heard of the batch that exported it: anybody can run a batch and burn
 * what it mints in one block, and events may be stated in any order.
 */
function isAhead({ block, inbound }: Pending, underWay: UnderWay): boolean {
  const { chain, asset, amount } = inbound;
  const { exported } = accountOf(block.state, asset);
  return exported < amount && amount <= exported + underWay(chain, asset);
}

/** Reads the open batches once, when first asked. */
function underWayIn(state: StateReader): UnderWay {
  let totals: Map<string, bigint> | undefined;
  return (chain, asset) => {
    totals ??= openTotals(state);
    return totals.get(`${keyOf(chain)}:${keyOf(asset)}`) ?? 0n;
  };
}

function openTotals(state: StateReader): Map<string, bigint> {
  const totals = new Map<string, bigint>();
  for (const id of listOf(state, listNames.plans)) {
    const plan = plans.get(state, id);
    if (plan?.kind !== planKinds.evmBatch) continue;
    for (const name of plan.withdrawals) {
      const withdrawal = withdrawals.get(state, name);
      if (withdrawal === undefined) continue;
      const key = `${keyOf(plan.chain)}:${keyOf(withdrawal.asset)}`;
      totals.set(key, (totals.get(key) ?? 0n) + withdrawal.amount - withdrawal.fee);
    }
  }
  return totals;
}

/** What cannot be forwarded goes to the sender, whose address is a ledger lock (ETH-3). */
function refund(pending: Pending, movement: Movement, reason: number): Inbound {
  const { block, id, inbound } = pending;
  const { genesis, state } = block;
  const { asset, amount, refund: lock } = inbound;
  if (!move(state, asset, { ...movement, supply: amount }))
    return setStatus(pending, inboundStatus.held, inboundReasons.halted);
  const txid = creditId(genesis.networkId, id);
  addOutput(state, { txid, index: 0 }, { asset, amount, lock });
  return setStatus(pending, inboundStatus.refunded, reason, { credited: amount });
}
