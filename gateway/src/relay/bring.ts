// What is to be brought now, from the relay's view of the ledger and of the chains.
import type { Action, Settle } from "@causeway/chain-core/interchain";
import {
  batchCodec,
  bitcoinHeadersMax,
  bitcoinWatch,
  ethereumWatch,
  eventId,
  eventKinds,
  evmContractCodec,
  executeCall,
  headersCodec,
  kinds,
  outpoint,
  parseTransaction,
  planKinds,
  planStatus,
  settleCodec,
} from "@causeway/chain-core/interchain";
import { equal, isRejected, keyOf, sha256d, toHex } from "@causeway/primitives";
import { xOnly } from "@causeway/primitives/secp256k1";
import type { Context, State } from "./machine.ts";
import type { Effect } from "./outbox.ts";
import type { Candidate, LedgerView } from "./view.ts";

/** A thing to bring; `name` is the same on every operator, `base` starts its rota. */
export type Bringing =
  | {
      readonly kind: "action";
      readonly name: string;
      readonly base: number;
      readonly action: Action;
    }
  | {
      readonly kind: "execute";
      readonly name: string;
      readonly base: number;
      readonly effect: Effect;
    };

export function bringings(context: Context, state: State, view: LedgerView): Bringing[] {
  return [
    ...headers(context, state, view),
    ...settlements(context, state, view),
    ...batches(context, view),
  ];
}

/** WIT-4: headers that the ledger does not have. */
function headers({ genesis }: Context, state: State, view: LedgerView): Bringing[] {
  const { checkpoint, chain } = genesis.bitcoin;
  const tip = view.bitcoinTip ?? { hash: sha256d(checkpoint.header), height: checkpoint.height };
  const bytes = bitcoinWatch.headersAfter(state.bitcoin, tip, bitcoinHeadersMax);
  if (bytes.length === 0) return [];
  const last = toHex(sha256d(bytes.subarray(bytes.length - 80)));
  const action = { kind: kinds.headers, body: headersCodec.encode({ chain, headers: bytes }) };
  return [{ kind: "action", name: `headers:${last}`, base: tip.height, action }];
}

/** Transactions that spend a coin of ours, deep enough on the ledger's own header chain (BTC-3). */
function settlements({ genesis }: Context, state: State, view: LedgerView): Bringing[] {
  const own = bitcoinWatch.tipOf(state.bitcoin);
  const ledgerTip = view.bitcoinTip;
  if (ledgerTip === undefined) return [];
  const known = bitcoinWatch.hashAt(state.bitcoin, ledgerTip.height);
  if (known === undefined || !equal(known, ledgerTip.hash)) return [];
  const depth = genesis.params.finalDepth + (own.height - ledgerTip.height);
  const open = new Set(view.coins.map(keyOf));
  return bitcoinWatch
    .spends(state.bitcoin, depth)
    .filter((settle) => spendsOpen(settle, open))
    .map((settle) => ({
      kind: "action" as const,
      name: `settle:${toHex(sha256d(settle.transaction))}:${toHex(settle.blockHash)}`,
      base: ledgerTip.height,
      action: { kind: kinds.settle, body: settleCodec.encode(settle) },
    }));
}

function spendsOpen(settle: Settle, open: ReadonlySet<string>): boolean {
  const transaction = parseTransaction(settle.transaction);
  if (isRejected(transaction)) return false;
  return transaction.inputs.some(({ txid, vout }) => open.has(keyOf(outpoint(txid, vout))));
}

/** Signed batches, lowest nonce first, by operator (nonce + i) mod N. */
function batches({ genesis }: Context, view: LedgerView): Bringing[] {
  const found: Bringing[] = [];
  for (const { plan } of view.plans) {
    if (plan.kind !== planKinds.evmBatch || plan.status !== planStatus.signed) continue;
    const chain = genesis.evm.findIndex((one) => equal(one.chain, plan.chain));
    const key = view.keys.get(plan.keyId);
    const [signature] = plan.signatures;
    if (chain < 0 || key === undefined || signature === undefined) continue;
    const batch = batchCodec.decode(plan.subject);
    const data = executeCall(batch, { key: xOnly(key.groupPoint), signature });
    const effect = { kind: "execute" as const, chain, nonce: plan.nonce, data };
    const name = `execute:${chain}:${plan.nonce}`;
    found.push({ kind: "execute", name, base: plan.nonce, effect });
  }
  return found;
}

/** Every event that the watchers found and the ledger may not have. */
export function candidatesOf(context: Context, state: State): Candidate[] {
  const { genesis } = context;
  const { chain } = genesis.bitcoin;
  const all: Candidate[] = bitcoinWatch
    .deposits(state.bitcoin)
    .map(({ id, event }) => ({ id, chain, event }));
  for (const [i, watcher] of state.ethereum.entries()) {
    const evm = watcher.chain.chain;
    for (const { id, event } of ethereumWatch.found(watcher)) all.push({ id, chain: evm, event });
    all.push(...contractEvent(context, state, i));
  }
  return all;
}

/** ETH-3: the contract at `finalized`, as soon as the ring has a key for its chain. */
function contractEvent({ genesis, codeHashes }: Context, state: State, index: number): Candidate[] {
  const chain = genesis.evm[index];
  const of = state.view?.evm[index];
  const finalized = state.ethereum[index]?.finalized;
  const codeHash = codeHashes[index];
  if (chain === undefined || finalized === undefined || codeHash === undefined) return [];
  if (of?.key === undefined || of.state?.stated === true) return [];
  const body = evmContractCodec.encode({
    contract: chain.gateway,
    codeHash,
    network: genesis.networkId,
    keyId: of.key.keyId,
    key: xOnly(of.key.groupPoint),
  });
  const { hash, height } = finalized;
  const event = {
    kind: eventKinds.evmContract,
    txid: hash,
    index: 0,
    blockHash: hash,
    height,
    body,
  };
  const id = eventId(genesis.networkId, chain.chain, chain.gateway, hash, 0);
  return [{ id, chain: chain.chain, event }];
}
