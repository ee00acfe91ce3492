// Hints to the own signer: every event that the watchers found and the ledger does not have (WIT-1, WIT-3).
import {
  bitcoinWatch,
  ethereumWatch,
  eventId,
  eventKinds,
  evmContractCodec,
  hintCodec,
} from "@causeway/chain-core/interchain";
import { equal } from "@causeway/primitives";
import { xOnly } from "@causeway/primitives/secp256k1";
import type { Candidate } from "./candidate.ts";
import { candidateName } from "./candidate.ts";
import type { Context, Effect, Orders, State } from "./state.ts";
import { earliest } from "./state.ts";

/** A hint that changed nothing on the ledger is given again after this time, then after twice as long each time. */
const hintAgainMs = 15_000;
const hintAgainMsMax = 600_000;
/** Events in the newest blocks are hinted at once; of older ones (after a start) the ledger is asked first. */
const freshBlocks = 16;

/** Every event of the watchers that may need a statement. */
export function candidatesOf(context: Context, state: State): Candidate[] {
  const { chain } = context.genesis.bitcoin;
  const all: Candidate[] = bitcoinWatch.deposits(state.bitcoin).map((one) => ({ ...one, chain }));
  for (const [index, watcher] of state.ethereum.entries()) {
    const evm = watcher.chain.chain;
    for (const one of ethereumWatch.found(watcher)) all.push({ ...one, chain: evm });
    all.push(...contractEvent(context, state, index));
  }
  return all;
}

/** ETH-3: the contract at a finalized block, as soon as it stands there with the ring's current key, or a newer (ETH-1). */
function contractEvent({ genesis, codeHashes }: Context, state: State, index: number): Candidate[] {
  const evm = genesis.evm[index];
  const view = state.view?.evm[index];
  const watcher = state.ethereum[index];
  const codeHash = codeHashes[index];
  const { keySet, contractAt } = watcher ?? {};
  const key = keySet && state.view?.keys.get(keySet.keyId);
  if (evm === undefined || codeHash === undefined || contractAt === undefined) return [];
  if (view?.key === undefined || key?.active !== true || !equal(key.chain, evm.chain)) return [];
  const { keyId, groupPoint } = key;
  const isStated = view.state?.stated === true && view.state.keyId >= keyId;
  if (isStated || keyId < view.key.keyId) return [];
  const { gateway, chain } = evm;
  const body = evmContractCodec.encode({
    contract: gateway,
    codeHash,
    network: genesis.networkId,
    keyId,
    key: xOnly(groupPoint),
  });
  const { hash, height } = contractAt;
  const place = { txid: hash, index: 0, blockHash: hash, height };
  const id = eventId(genesis.networkId, chain, gateway, hash, 0);
  return [{ id, chain, event: { kind: eventKinds.evmContract, ...place, body } }];
}

export function hints(context: Context, state: State, nowMs: number): Orders {
  const effects: Effect[] = [];
  const present = new Set<string>();
  let nextAt: number | undefined;
  for (const candidate of candidatesOf(context, state)) {
    const name = candidateName(candidate);
    present.add(name);
    const answer = state.answers.get(name);
    const isWanted = answer === "unknown" || (answer === undefined && isFresh(state, candidate));
    if (!isWanted) continue;
    const { at, count } = state.hinted.get(name) ?? { at: nowMs, count: 0 };
    const dueAt = count === 0 ? at : at + Math.min(hintAgainMs * 2 ** (count - 1), hintAgainMsMax);
    nextAt = earliest(nextAt, dueAt <= nowMs ? nowMs + hintAgainMs : dueAt);
    if (dueAt > nowMs) continue;
    state.hinted.set(name, { at: nowMs, count: count + 1 });
    const { chain, event } = candidate;
    const final = !equal(chain, context.genesis.bitcoin.chain);
    effects.push({ kind: "hint", bytes: hintCodec.encode({ chain, event, final }) });
  }
  for (const name of state.hinted.keys()) if (!present.has(name)) state.hinted.delete(name);
  for (const name of state.answers.keys()) if (!present.has(name)) state.answers.delete(name);
  return { effects, nextAt };
}

function isFresh(state: State, { chain, event }: Candidate): boolean {
  const watcher = state.ethereum.find((one) => equal(one.chain.chain, chain));
  const tip = watcher === undefined ? bitcoinWatch.tipOf(state.bitcoin) : watcher.finalized;
  return event.height + freshBlocks > (tip?.height ?? 0);
}

const priority = { undefined: 0, unknown: 1, known: 2, done: 3 } as const;

/** The candidates that the ledger should be asked about first: those of which least is known. */
export function unsettled(context: Context, state: State): Candidate[] {
  const rank = (one: Candidate): number =>
    priority[state.answers.get(candidateName(one)) ?? "undefined"];
  return candidatesOf(context, state).sort((a, b) => rank(a) - rank(b));
}
