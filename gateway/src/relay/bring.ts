// What is to be brought now, from the relay's view of the ledger and of the chains: headers, settlement proofs,
// batches and evidence, each by one operator after the other (rota.ts), and the own validator's duties.
import type { Action, Plan, RingSeal } from "@causeway/chain-core/interchain";
import {
  batchCodec,
  bitcoinHeadersMax,
  bitcoinWatch,
  ethereumWatch,
  eventKinds,
  evidenceCodec,
  evmExecutedCodec,
  executeCall,
  headersCodec,
  isEvmPlan,
  kinds,
  planKinds,
  planStatus,
  roles,
  setKeyCall,
  setKeyCodec,
  settleCodec,
  signEnvelope,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import { equal, isRejected, keyOf, sha256, sha256d } from "@causeway/primitives";
import { xOnly } from "@causeway/primitives/secp256k1";
import type { Place } from "./rota.ts";
import { takeTurns } from "./rota.ts";
import type { Context, Effect, Orders, State } from "./state.ts";
import type { LedgerView } from "./view.ts";

/** A thing to bring; `name` is the same on every operator, `base` starts its rota. */
type Bringing = {
  readonly name: string;
  readonly base: number | undefined;
} & ({ readonly action: Action } | { readonly effect: Effect });

/** Life of an own envelope in ledger time, ms; a lost one is made anew after a round. */
const envelopeLifeMs = 60_000;

/** What is this operator's turn to bring. */
export function bring(context: Context, state: State, view: LedgerView, nowMs: number): Orders {
  const { owner } = state;
  if (owner === undefined) return { effects: [], nextAt: undefined };
  const who = placeOf(state, owner);
  const things = [
    ...headers(context, state, view),
    ...settlements(state, view),
    ...messages(context, state, view),
    ...convictions(state),
    ...owed(state),
  ];
  const due = new Map(things.map(({ name, base }) => [name, base]));
  const { names, nextAt } = takeTurns(state.turns, due, who, nowMs);
  const mine = new Set(names);
  const effects = things
    .filter(({ name }) => mine.has(name))
    .map((thing) =>
      "effect" in thing
        ? thing.effect
        : envelope(context, state, view, owner, thing.action, thing.name),
    );
  return { effects, nextAt };
}

function placeOf({ rota }: State, owner: Uint8Array): Place {
  const { owners } = rota;
  const seat = owners.findIndex((one) => equal(one, owner));
  return { seat: seat < 0 ? undefined : seat, count: owners.length };
}

/** One action in an envelope of the relay key (CON-7); numbers may come in any order, and a lost one is no harm. */
function envelope(
  { genesis, relaySecret }: Context,
  state: State,
  view: LedgerView,
  validator: Uint8Array,
  action: Action,
  what: string,
): Effect {
  state.sequence = Math.max(state.sequence, view.sequence) + 1;
  const from = { validator, role: roles.relay, sequence: state.sequence };
  const expires = view.time + Math.min(view.params.expiryMaxMs, envelopeLifeMs);
  const tx = signEnvelope(genesis, from, expires, [action], relaySecret);
  return { kind: "submit", what, transaction: transactionCodec.encode(tx) };
}

/** WIT-4: headers that the ledger does not have. Named by the ledger's tip: until that moves it is one thing. */
function headers({ genesis }: Context, state: State, view: LedgerView): Bringing[] {
  const own = bitcoinWatch.tipOf(state.bitcoin);
  const { checkpoint, chain } = genesis.bitcoin;
  const [ledgerTip] = view.locator;
  const known = [ledgerTip?.hash, view.knownTip, sha256d(checkpoint.header)];
  if (known.some((hash) => hash !== undefined && equal(hash, own.hash))) return [];
  const bytes = bitcoinWatch.headersAfter(state.bitcoin, view.locator, bitcoinHeadersMax);
  if (bytes.length === 0) return [];
  const action = { kind: kinds.headers, body: headersCodec.encode({ chain, headers: bytes }) };
  const base = ledgerTip?.height ?? checkpoint.height;
  return [{ name: `headers:${keyOf(ledgerTip?.hash ?? chain)}`, base, action }];
}

/** Transactions that spend a coin of ours, deep enough on the ledger's own header chain (BTC-3). */
function settlements(state: State, view: LedgerView): Bringing[] {
  const [ledgerTip] = view.locator;
  if (ledgerTip === undefined) return [];
  const known = bitcoinWatch.hashAt(state.bitcoin, ledgerTip.height);
  if (known === undefined || !equal(known, ledgerTip.hash)) return [];
  const ahead = bitcoinWatch.tipOf(state.bitcoin).height - ledgerTip.height;
  const open = new Set(view.coins.map(keyOf));
  return bitcoinWatch
    .spends(state.bitcoin, view.params.finalDepth + ahead)
    .filter(({ outpoints }) => outpoints.some((name) => open.has(name)))
    .map(({ settle, txid, height }) => ({
      name: `settle:${keyOf(txid)}:${keyOf(settle.blockHash)}`,
      base: height,
      action: { kind: kinds.settle, body: settleCodec.encode(settle) },
    }));
}

/** CON-3: evidence against validators. The own node stops giving it when the ledger has convicted them. */
function convictions({ evidence }: State): Bringing[] {
  return evidence.flatMap((body) => {
    const parsed = evidenceCodec.parse(body);
    if (isRejected(parsed)) return [];
    const { height, seat } = parsed;
    const action = { kind: kinds.evidence, body };
    return [{ name: `evidence:${height}:${seat}`, base: height, action }];
  });
}

/** BCN-2, BCN-3: nobody else can bring it, so that the own turn is the first. */
function owed({ duties }: State): Bringing[] {
  return duties.map(({ what, body }) => {
    const action = { kind: kinds[what], body };
    return { name: `${what}:${keyOf(sha256(body))}`, base: undefined, action };
  });
}

/** Signed messages of contracts that have not run, lowest nonce first, by operator (nonce + i) mod N. */
function messages({ genesis }: Context, state: State, view: LedgerView): Bringing[] {
  const found: Bringing[] = [];
  for (const { plan } of view.plans) {
    if (!isEvmPlan(plan) || plan.status !== planStatus.signed) continue;
    const { keyId, nonce } = plan;
    const chain = genesis.evm.findIndex((one) => equal(one.chain, plan.chain));
    const key = view.keys.get(keyId);
    const [signature] = plan.signatures;
    if (chain < 0 || key === undefined || signature === undefined) continue;
    if (hasRun(state, chain, nonce) || hasLeft(state, chain, keyId)) continue;
    const data = callOf(plan, { key: xOnly(key.groupPoint), signature });
    const effect = { kind: "execute" as const, chain, nonce, data };
    found.push({ name: `execute:${chain}:${nonce}:${keyId}`, base: nonce, effect });
  }
  return found;
}

/** Calldata that brings a message of an EVM chain to its contract, under its key's signature. */
export function callOf({ kind, subject }: Plan, seal: RingSeal): Uint8Array {
  if (kind === planKinds.evmBatch) return executeCall(batchCodec.decode(subject), seal);
  const { newKeyId, key, ...slot } = setKeyCodec.decode(subject);
  return setKeyCall(slot, { keyId: newKeyId, key }, seal);
}

/** ETH-1: the contract holds a later key: what this one signed is worth nothing. */
function hasLeft({ ethereum }: State, chain: number, keyId: number): boolean {
  return (ethereum[chain]?.keySet?.keyId ?? 0) > keyId;
}

/** The own watcher saw the message run: the ledger will hear of it. */
function hasRun({ ethereum }: State, chain: number, nonce: number): boolean {
  const watcher = ethereum[chain];
  if (watcher === undefined) return false;
  return ethereumWatch
    .found(watcher)
    .some(
      ({ event }) =>
        event.kind === eventKinds.evmExecuted &&
        evmExecutedCodec.decode(event.body).nonce === nonce,
    );
}
