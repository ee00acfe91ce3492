// settle: a Bitcoin transaction at final depth that spends coins of ours (BTC-3, WIT-4). An attempt of a plan
// ends its lineage; anything else is an owner's reclaim, a recovery, or a theft that halts the asset (RNG-7).
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, isRejected, rejected, toHex } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { InclusionCode } from "../../interchain/bitcoin/inclusion.ts";
import { verifyInclusion } from "../../interchain/bitcoin/inclusion.ts";
import type { BitcoinTransaction } from "../../interchain/bitcoin/transaction.ts";
import type { Plan } from "../../interchain/records.ts";
import {
  coinStatus,
  coins,
  outpoint,
  planStatus,
  plans,
  plansByTxid,
} from "../../interchain/records.ts";
import type { Settle } from "../../interchain/statement.ts";
import { settleCodec } from "../../interchain/statement.ts";
import type { ActionContext, Rule } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { setDue } from "./accounting.ts";
import type { Held } from "./coins.ts";
import { restoreCoin } from "./coins.ts";
import { bestBlock, depthOf } from "./header-chain.ts";
import { spendUnplanned } from "./settle-foreign.ts";
import type { Settled } from "./settle-plan.ts";
import { settleAttempt } from "./settle-plan.ts";

export type SettleCode =
  | "unknown-chain"
  /** Not on the ledger's best chain. */
  | "unknown-block"
  /** Not at final depth yet. */
  | "too-shallow"
  | InclusionCode
  /** It spends no open coin of the ring, or is settled already. */
  | "nothing-new";

export const settleRule: Rule<Settle> = {
  kind: kinds.settle,
  codec: settleCodec,
  carriers: [roles.relay, roles.signer],
  balance: () => [],
  validate: (context, settle) => {
    const settlement = read(context, settle);
    return isRejected(settlement) ? settlement : undefined;
  },
  apply: (context, settle) => {
    const settlement = read(context, settle);
    if (isRejected(settlement)) return;
    const { work, at } = settlement;
    switch (work.kind) {
      case "attempt":
        settleAttempt(context, work.plan, at);
        break;
      case "again":
        for (const held of work.missing) restoreCoin(context, held, at);
        break;
      case "foreign":
        for (const spent of work.spent) spendUnplanned(context, spent, at);
        break;
    }
    setDue(context.state);
  },
};

/** What a settlement changes. */
type Work =
  | { readonly kind: "attempt"; readonly plan: { readonly id: Uint8Array; readonly plan: Plan } }
  /** A settled attempt whose block had left the best chain, in another block. */
  | { readonly kind: "again"; readonly missing: readonly Held[] }
  | { readonly kind: "foreign"; readonly spent: readonly Held[] };

function read(
  { genesis, state, params }: ActionContext,
  settle: Settle,
): { readonly work: Work; readonly at: Settled } | Rejected<SettleCode> {
  if (!equal(settle.chain, genesis.bitcoin.chain))
    return rejected("unknown-chain", "a settlement on another chain");
  const { blockHash } = settle;
  const block = bestBlock(state, blockHash);
  if (block === undefined)
    return rejected("unknown-block", `block ${toHex(blockHash)} is not on the best chain`);
  const { height, header } = block;
  const depth = depthOf(genesis, state, height);
  if (depth < params.finalDepth)
    return rejected("too-shallow", `depth ${depth} of ${params.finalDepth}`);
  const included = verifyInclusion(header, settle);
  if (isRejected(included)) return included;
  const work = workOf(state, included.transaction, included.txid);
  if (work === undefined) return rejected("nothing-new", `${toHex(included.txid)} changes nothing`);
  return { work, at: { ...included, blockHash, height } };
}

function workOf(
  state: StateReader,
  transaction: BitcoinTransaction,
  txid: Bytes32,
): Work | undefined {
  const id = plansByTxid.get(state, txid)?.plan;
  const plan = id && plans.get(state, id);
  if (id !== undefined && plan !== undefined && plan.status !== planStatus.dead) {
    if (plan.status !== planStatus.final) return { kind: "attempt", plan: { id, plan } };
    const missing = transaction.outputs
      .map((_, vout) => heldAt(state, outpoint(txid, vout)))
      .filter((held) => held?.coin.status === coinStatus.missing);
    return missing.length > 0 ? { kind: "again", missing: missing as Held[] } : undefined;
  }
  const spent = transaction.inputs
    .map((input) => heldAt(state, outpoint(input.txid, input.vout)))
    .filter((held) => held !== undefined && held.coin.status !== coinStatus.spent);
  return spent.length > 0 ? { kind: "foreign", spent: spent as Held[] } : undefined;
}

function heldAt(state: StateReader, name: Uint8Array): Held | undefined {
  const coin = coins.get(state, name);
  return coin && { name, coin };
}
