// Events that a hint could be about, and what the ledger says of each: the same tests as the ledger's own
// attest rule makes before it stores one.
import type { ForeignEvent, Genesis, Inbound } from "@causeway/chain-core/interchain";
import {
  batches,
  eventKinds,
  evmContractCodec,
  evmExecutedCodec,
  evmStates,
  inboundStatus,
  inbounds,
  planStatus,
  plans,
} from "@causeway/chain-core/interchain";
import { equal, keyOf } from "@causeway/primitives";
import type { Reading } from "./reading.ts";
import { read } from "./reading.ts";

/** An event of `chain` as its watcher found it. */
export type Candidate = {
  readonly id: Uint8Array;
  readonly chain: Uint8Array;
  readonly event: ForeignEvent;
};

/** "done": no statement of this event in this block will ever be needed; "known": none is needed now. */
export type Answer = "unknown" | "known" | "done";

/** Blocks below the ledger's tip after which a settled deposit is no longer watched: far below any reorganisation. */
const forgetDepth = 144;

/** The same event in another block is another candidate (WIT-4). */
export function candidateName({ id, event }: Candidate): string {
  return `${keyOf(id)}:${keyOf(event.blockHash)}`;
}

/** By candidateName. `tipHeight` is that of the ledger's Bitcoin chain. */
export function* readAnswers(
  genesis: Genesis,
  candidates: readonly Candidate[],
  tipHeight: number,
): Reading<Map<string, Answer>> {
  const answers = new Map<string, Answer>();
  const records = yield* read(
    inbounds,
    candidates.map(({ id }) => id),
  );
  for (const [i, one] of candidates.entries())
    answers.set(candidateName(one), answerOf(genesis, one, records[i], tipHeight));
  yield* readContracts(candidates, answers);
  yield* readExecuted(candidates, answers);
  return answers;
}

function answerOf(
  genesis: Genesis,
  { chain, event }: Candidate,
  inbound: Inbound | undefined,
  tipHeight: number,
): Answer {
  if (inbound === undefined) return "unknown";
  // At `finalized` there is no second block for an event.
  if (!equal(chain, genesis.bitcoin.chain)) return "done";
  if (!inbound.candidates.some(({ blockHash }) => equal(blockHash, event.blockHash)))
    return "unknown";
  const isOpen = inbound.status === inboundStatus.waiting || inbound.status === inboundStatus.held;
  return isOpen || event.height + forgetDepth > tipHeight ? "known" : "done";
}

/** ETH-3: a contract is stated once for each key. */
function* readContracts(
  candidates: readonly Candidate[],
  answers: Map<string, Answer>,
): Reading<void> {
  const contracts = candidates.filter(({ event }) => event.kind === eventKinds.evmContract);
  const states = yield* read(
    evmStates,
    contracts.map(({ chain }) => chain),
  );
  for (const [i, one] of contracts.entries()) {
    const { keyId } = evmContractCodec.decode(one.event.body);
    const state = states[i];
    const isStated = state?.stated === true && state.keyId === keyId;
    answers.set(candidateName(one), isStated ? "known" : "unknown");
  }
}

/** A batch whose plan is final needs no statement of its execution any more. */
function* readExecuted(
  candidates: readonly Candidate[],
  answers: Map<string, Answer>,
): Reading<void> {
  const executed = candidates.filter(({ event }) => event.kind === eventKinds.evmExecuted);
  const named = yield* read(
    batches,
    executed.map(({ chain, event }) => ({
      chain,
      nonce: evmExecutedCodec.decode(event.body).nonce,
    })),
  );
  const ids = named.map((one) => one?.plan ?? new Uint8Array(32));
  const records = yield* read(plans, ids);
  for (const [i, one] of executed.entries()) {
    const isFinal = records[i]?.status === planStatus.final;
    answers.set(candidateName(one), isFinal ? "done" : "unknown");
  }
}
