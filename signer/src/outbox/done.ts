// When an action that the signer brings has nothing left to do on the ledger, so that it is not brought again.
import type { Action, ForeignEvent, StateReader } from "@causeway/chain-core/interchain";
import {
  attestCodec,
  badShareCodec,
  badShares,
  batches,
  ceremonyStages,
  complaintCodec,
  confirmCodec,
  dealCodec,
  eventIdOf,
  eventKinds,
  evmContractCodec,
  evmExecutedCodec,
  evmStates,
  inbounds,
  isWronged,
  kinds,
  planStatus,
  plans,
  ringSignatureCodec,
} from "@causeway/chain-core/interchain";
import type { NetworkId } from "@causeway/primitives";
import { equal, isRejected, isZero } from "@causeway/primitives";
import { isOver } from "../ceremony/epochs.ts";
import { ceremonyOfEpoch, ceremonyUnderWay, readKey } from "../follow/rings.ts";
import type { Beating } from "../heartbeat.ts";
import { isHeartbeatDone } from "../heartbeat.ts";

/** True when `event` of `chain` is on the ledger as it is stated here: in this block (WIT-4). */
export function isStated(
  network: NetworkId,
  view: StateReader,
  chain: Uint8Array,
  event: ForeignEvent,
): boolean {
  if (event.kind === eventKinds.evmContract) {
    const stated = evmContractCodec.parse(event.body);
    const contract = evmStates.get(view, chain);
    return isRejected(stated) || (contract?.stated === true && contract.keyId >= stated.keyId);
  }
  if (event.kind === eventKinds.evmExecuted) {
    const executed = evmExecutedCodec.parse(event.body);
    if (isRejected(executed)) return true;
    const batch = batches.get(view, { chain, nonce: executed.nonce });
    if (batch === undefined) return false;
    const plan = plans.get(view, batch.plan);
    return plan === undefined || plan.status === planStatus.final;
  }
  const id = eventIdOf(network, chain, event);
  if (isRejected(id)) return true;
  const inbound = inbounds.get(view, id);
  if (inbound === undefined) return false;
  return inbound.candidates.some(({ blockHash }) => equal(blockHash, event.blockHash));
}

/** True when bringing `action` would change nothing any more. */
export function isDone(
  network: NetworkId,
  view: StateReader,
  action: Action,
  bringer: Beating,
): boolean {
  switch (action.kind) {
    case kinds.attest: {
      const { statement } = attestCodec.decode(action.body);
      return statement.events.every((event) => isStated(network, view, statement.chain, event));
    }
    case kinds.signature: {
      const plan = plans.get(view, ringSignatureCodec.decode(action.body).plan);
      return plan !== undefined && plan.status !== planStatus.planned;
    }
    case kinds.deal: {
      const { keyId, attempt, seat } = dealCodec.decode(action.body);
      const ceremony = ceremonyUnderWay(view, keyId);
      if (ceremony === undefined) return false;
      const open = ceremony.attempt === attempt && ceremony.stage === ceremonyStages.deal;
      return !open || ceremony.dealt.includes(seat);
    }
    case kinds.complaint:
      return isComplained(view, action.body);
    case kinds.badShare: {
      const evidence = badShareCodec.decode(action.body);
      return badShares.get(view, evidence) !== undefined || isOver(view, evidence);
    }
    case kinds.confirm:
      return isConfirmed(view, action.body);
    case kinds.heartbeat:
      return isHeartbeatDone(view, bringer, action.body);
    default:
      return true;
  }
}

function isComplained(view: StateReader, body: Uint8Array): boolean {
  const complaint = complaintCodec.decode(body);
  const { keyId, dealer } = complaint;
  if (ceremonyUnderWay(view, keyId) === undefined) return false;
  const ceremony = ceremonyOfEpoch(view, complaint);
  if (ceremony === undefined || ceremony.stage > ceremonyStages.active) return true;
  return ceremony.voided.includes(dealer) || isWronged(ceremony, complaint);
}

function isConfirmed(view: StateReader, body: Uint8Array): boolean {
  const { keyId, attempt, seat, dealsHash } = confirmCodec.decode(body);
  const key = readKey(view, keyId);
  const share = key?.attempt === attempt ? key.shares[seat] : undefined;
  if (share !== undefined && !isZero(share)) return true;
  if (ceremonyUnderWay(view, keyId) === undefined) return false;
  const ceremony = ceremonyOfEpoch(view, { keyId, attempt });
  if (ceremony === undefined || !equal(ceremony.dealsHash, dealsHash)) return true;
  return ceremony.confirmed.some((confirmed) => confirmed.seat === seat);
}
