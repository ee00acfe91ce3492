// GET /v1/transfers/<id>: where a transfer is, why, and what happens next: from the ledger's records, and from the
// own relay's watchers for what the ledger does not know yet.

import type { TransactionStatus } from "@causeway/chain-core/client";
import { readState } from "@causeway/chain-core/client";
import type {
  Genesis,
  Inbound,
  Receipt,
  ReceiptStep,
  StateReader,
  Withdrawal,
} from "@causeway/chain-core/interchain";
import {
  assetOf,
  bitcoinBest,
  bitcoinTips,
  creditId,
  formatAsset,
  inboundReceipt,
  inboundStatus,
  inbounds,
  listNames,
  lists,
  planKinds,
  plans,
  withdrawalReceipt,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { equal, isRejected, isZero, reversed, toHex } from "@causeway/primitives";
import { chainName, formatDestination } from "./destination.ts";
import type { Portal, Reply } from "./portal.ts";
import { ok, problem, refusal } from "./portal.ts";
import type { Sighting } from "./transfer-id.ts";
import { eventIdsOf, parseTransferId, sightingOf, withdrawalIdsOf } from "./transfer-id.ts";

export async function getTransfer(portal: Portal, text: string): Promise<Reply> {
  const { genesis, ledger } = portal;
  const wanted = parseTransferId(text);
  if (isRejected(wanted)) return refusal(wanted);
  const sighting = sightingOf(portal.relay, wanted);
  const found = await readState(ledger, (state) => {
    for (const id of eventIdsOf(genesis, wanted, sighting)) {
      const inbound = inbounds.get(state, id);
      if (inbound !== undefined) return describeInbound(genesis, state, id, inbound);
    }
    const all = withdrawalIdsOf(genesis, state, wanted).flatMap((id) => {
      const withdrawal = withdrawals.get(state, id);
      return withdrawal === undefined ? [] : [describeWithdrawal(genesis, state, id, withdrawal)];
    });
    const [first, ...others] = all;
    return others.length === 0 ? first : { ...first, others };
  });
  if (found !== undefined)
    return ok(sighting === undefined ? found : { ...found, seen: sightingJson(sighting) });
  if (sighting !== undefined) return ok(describeSighting(portal, sighting));
  return transactionReply(portal, text, wanted.kind === "id" ? wanted.id : undefined);
}

type Steps = readonly {
  readonly state: string;
  readonly at: number | null;
  readonly detail: string;
}[];

function stepsOf(steps: readonly ReceiptStep[]): Steps {
  return steps.map(({ state, at, detail }) => ({ state, at: at ?? null, detail }));
}

function receiptJson({ kind, status, reason, steps, next }: Receipt): Record<string, unknown> {
  return { kind, status, reason, steps: stepsOf(steps), next };
}

function describeInbound(
  genesis: Genesis,
  state: StateReader,
  id: Uint8Array,
  inbound: Inbound,
): Record<string, unknown> {
  const { params, networkId } = genesis;
  const onward = isZero(inbound.withdrawal)
    ? undefined
    : withdrawals.get(state, inbound.withdrawal);
  const onwardReceipt = onward && receiptOf(genesis, state, inbound.withdrawal, onward);
  const depth = depthOf(genesis, state, inbound);
  const { chain, asset, amount, credited, fee, txid, index } = inbound;
  const isCredited =
    inbound.status === inboundStatus.minted || inbound.status === inboundStatus.refunded;
  const isBitcoin = equal(chain, genesis.bitcoin.chain);
  return {
    id: toHex(id),
    ...receiptJson(inboundReceipt(inbound, { genesis, params, depth }, onwardReceipt)),
    asset: assetOf(genesis, asset)?.symbol ?? toHex(asset),
    amount: `${amount}`,
    credited: `${credited}`,
    fee: `${fee}`,
    text: formatAsset(genesis, asset, amount),
    from: {
      chain: chainName(genesis, chain),
      transaction: isBitcoin ? toHex(reversed(txid)) : `0x${toHex(txid)}`,
      index,
      ...(isBitcoin && { confirmations: depth }),
    },
    to: {
      chain: chainName(genesis, inbound.destination.chain),
      address: formatDestination(genesis, inbound.destination),
    },
    ...(isCredited && { ledgerTransaction: toHex(creditId(networkId, id)) }),
    ...(onward && { withdrawal: toHex(inbound.withdrawal) }),
  };
}

/** Confirmations on the ledger's own header chain; 0 when no candidate's block is on it. */
function depthOf(genesis: Genesis, state: StateReader, inbound: Inbound): number {
  const tip = bitcoinTips.get(state, genesis.bitcoin.chain);
  const best = inbound.candidates.find(({ blockHash, height }) => {
    const hash = bitcoinBest.get(state, height)?.hash;
    return hash !== undefined && equal(hash, blockHash);
  });
  return tip === undefined || best === undefined ? 0 : tip.height - best.height + 1;
}

function receiptOf(
  genesis: Genesis,
  state: StateReader,
  id: Uint8Array,
  withdrawal: Withdrawal,
): Receipt {
  const { chain } = withdrawal.destination;
  const queue = lists.get(state, listNames.queue(toHex(chain)))?.ids ?? [];
  const position = queue.findIndex((one) => equal(one, id));
  const plan = isZero(withdrawal.plan) ? undefined : plans.get(state, withdrawal.plan);
  return withdrawalReceipt(withdrawal, {
    params: genesis.params,
    isBitcoin: equal(chain, genesis.bitcoin.chain),
    ...(position >= 0 && { position }),
    ...(plan && { plan }),
  });
}

function describeWithdrawal(
  genesis: Genesis,
  state: StateReader,
  id: Uint8Array,
  withdrawal: Withdrawal,
): Record<string, unknown> {
  const { asset, amount, fee, destination, source } = withdrawal;
  const plan = isZero(withdrawal.plan) ? undefined : plans.get(state, withdrawal.plan);
  const isBatch = plan?.kind === planKinds.evmBatch;
  return {
    id: toHex(id),
    ...receiptJson(receiptOf(genesis, state, id, withdrawal)),
    asset: assetOf(genesis, asset)?.symbol ?? toHex(asset),
    amount: `${amount}`,
    fee: `${fee}`,
    text: formatAsset(genesis, asset, amount),
    source: toHex(source),
    to: {
      chain: chainName(genesis, destination.chain),
      address: formatDestination(genesis, destination),
      ...(plan && (isBatch ? { batch: plan.nonce } : { transaction: toHex(reversed(plan.txid)) })),
    },
  };
}

function sightingJson({ confirmations, blockHash, height }: Sighting): Record<string, unknown> {
  return { confirmations, blockHash: toHex(blockHash), height };
}

/** The own relay sees it; the committee has not stated it yet. */
function describeSighting({ genesis }: Portal, sighting: Sighting): Record<string, unknown> {
  const { id, chain, confirmations } = sighting;
  const isBitcoin = equal(chain, genesis.bitcoin.chain);
  const detail = isBitcoin
    ? `${confirmations} of ${genesis.params.creditDepth} confirmations`
    : "in a finalized block";
  return {
    id: toHex(id),
    kind: "deposit",
    status: "seen",
    reason: "",
    steps: [{ state: "seen", at: null, detail }],
    next: "The committee's signers look at their own nodes and state it to the ledger.",
    from: { chain: chainName(genesis, chain) },
    seen: sightingJson(sighting),
  };
}

async function transactionReply(
  { ledger }: Portal,
  text: string,
  id: Uint8Array | undefined,
): Promise<Reply> {
  const known = id && (await ledger.transaction(id));
  if (id === undefined || known === undefined || known.status === "unknown")
    return problem(
      404,
      "not-found",
      `no transfer ${text} is known: if its transaction was sent just now, it is seen with its first block`,
    );
  const { detail, next } = transactionText(known);
  return ok({
    id: toHex(id),
    kind: "transaction",
    status: known.status,
    reason: "",
    steps: [{ state: known.status, at: null, detail }],
    next,
  });
}

function transactionText({ status, height, by }: TransactionStatus): {
  readonly detail: string;
  readonly next: string;
} {
  if (status === "final") return { detail: `in block ${height}`, next: "" };
  if (status === "pending")
    return { detail: "waits for a block", next: "The next block takes it, or it expires." };
  return {
    detail: `waits no more: ${status}${by === undefined ? "" : `, for ${toHex(by)}`}`,
    next: "Nothing has moved by it. Send a new one.",
  };
}
