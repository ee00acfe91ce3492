// What becomes of inbound events at the end of a block: minted, forwarded, refunded, left to reclaim, or held
// until a limit allows (WIT-4, BTC-2, ACC-1, ACC-2). Only a credit uses up an event's id.
import { equal, isRejected } from "@causeway/primitives";
import { checkAmount, creditId, routeOf, vaultsOf } from "../../interchain/policy.ts";
import type { Inbound } from "../../interchain/records.ts";
import { inboundReasons, inboundStatus, inbounds, listNames } from "../../interchain/records.ts";
import { assetOf } from "../assets.ts";
import type { BlockContext } from "../rule.ts";
import { addOutput } from "../utxo/outputs.ts";
import type { Movement } from "./accounting.ts";
import { isHalted, listOf, move, putList } from "./accounting.ts";
import type { Review } from "./coins.ts";
import { creditDeposit } from "./credit-bitcoin.ts";
import type { Pending } from "./deliver.ts";
import { amountReasons, deliver, isEnded, setStatus } from "./deliver.ts";

/** Looks at every open inbound event in the order of their statements; those that ended leave the list. */
export function creditInbounds(block: BlockContext, review: Review): void {
  const { genesis, state } = block;
  const ids = listOf(state, listNames.waiting);
  if (ids.length === 0) return;
  const ringScripts = vaultsOf(genesis, state).map(({ script }) => script);
  const open = ids.filter((id) => {
    const inbound = inbounds.get(state, id);
    const registry = inbound && assetOf(genesis, inbound.asset)?.registry;
    if (inbound === undefined || registry === undefined || isEnded(inbound)) return false;
    const pending = { block, id, inbound, registry, ringScripts };
    const isBitcoin = equal(inbound.chain, genesis.bitcoin.chain);
    const after = isBitcoin ? creditDeposit(pending, review) : creditTransfer(pending);
    return !isEnded(after);
  });
  if (open.length !== ids.length) putList(state, listNames.waiting, open);
}

/** A transfer out of a gateway contract: `Deposited` brings coins, `Burned` brings exported value home. */
function creditTransfer(pending: Pending): Inbound {
  const { block, inbound, registry, ringScripts } = pending;
  const { genesis, state, params } = block;
  if (isHalted(state, inbound.asset))
    return setStatus(pending, inboundStatus.held, inboundReasons.halted);
  const { amount } = inbound;
  const isHome = equal(registry.chain, inbound.chain);
  const movement: Movement = isHome ? { coins: amount } : { exported: -amount };
  const route = routeOf(genesis, registry, inbound.destination, ringScripts);
  if (isRejected(route)) return refund(pending, movement, inboundReasons.badDestination);
  if (route.kind === "ledger") return deliver(pending, { route, net: amount, fee: 0n, movement });
  const bad = checkAmount(params, route, inbound);
  if (bad !== undefined) return refund(pending, movement, amountReasons[bad.code]);
  return deliver(pending, { route, net: amount, fee: 0n, movement });
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
