// What becomes of inbound events at the end of a block: minted, forwarded, refunded, left to reclaim, or held
// until a limit allows (WIT-4, BTC-2, ACC-1, ACC-2). Only a credit uses up an event's id.
import { equal, isRejected } from "@causeway/primitives";
import { checkAmount, creditId, routeOf, vaultsOf } from "../../interchain/policy.ts";
import type { Inbound } from "../../interchain/records.ts";
import {
  evmStates,
  inboundReasons,
  inboundStatus,
  inbounds,
  listNames,
} from "../../interchain/records.ts";
import { assetOf } from "../assets.ts";
import type { Custodies } from "../ring/liability-custody.ts";
import { custodiesIn, isAdmitted } from "../ring/liability-custody.ts";
import type { BlockContext } from "../rule.ts";
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
import type { UnderWay } from "./under-way.ts";
import { underWayIn } from "./under-way.ts";

/** Events whose status changes in one block; a chain may bring many thousands at once. */
const changesMax = 256;

/**
 * Looks at open inbound events in the order of their statements; those that ended leave the list. True if the
 * next block has more to do: a credit of this one may have made room for what was looked at before it.
 */
export function creditInbounds(block: BlockContext, review: Review): boolean {
  const { genesis, state } = block;
  const ids = listOf(state, listNames.waiting);
  if (ids.length === 0) return false;
  const ringScripts = vaultsOf(genesis, state).map(({ script }) => script);
  const underWay = underWayIn(state);
  const contracts = custodiesIn(block, underWay);
  let changes = 0;
  let isShort = false;
  const open = ids.filter((id) => {
    if (changes >= changesMax) return true;
    const inbound = inbounds.get(state, id);
    const registry = inbound && assetOf(genesis, inbound.asset)?.registry;
    if (inbound === undefined || registry === undefined || isEnded(inbound)) return false;
    const pending = { block, id, inbound, registry, ringScripts };
    const isBitcoin = equal(inbound.chain, genesis.bitcoin.chain);
    const after = isBitcoin
      ? creditDeposit(pending, review)
      : creditTransfer(pending, underWay, contracts);
    if (after !== inbound) changes += 1;
    if (after.reason === inboundReasons.bondLimit) isShort = true;
    return !isEnded(after);
  });
  if (open.length !== ids.length) putList(state, listNames.waiting, open);
  return changes >= changesMax || (isShort && changes > 0);
}

/** A transfer out of a gateway contract: `Deposited` brings coins, `Burned` brings exported value home. */
function creditTransfer(pending: Pending, underWay: UnderWay, contracts: Custodies): Inbound {
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
  if (isHome && !isAdmitted(block, contracts(inbound.chain), inbound))
    return setStatus(pending, inboundStatus.held, inboundReasons.bondLimit);
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

/**
 * Value that came back before the ledger has heard of the batch that exported it: anybody can run a batch and burn
 * what it mints in one block, and events may be stated in any order.
 */
function isAhead({ block, inbound }: Pending, underWay: UnderWay): boolean {
  const { chain, asset, amount } = inbound;
  const { exported } = accountOf(block.state, asset);
  return exported < amount && amount <= exported + underWay(chain, asset);
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
