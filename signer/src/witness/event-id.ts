// The id of a stated event from its own bytes (FMT-5): on EVM chains the contract is in the body.
import type { ForeignEvent } from "@causeway/chain-core/interchain";
import {
  eventId,
  eventKinds,
  evmContractCodec,
  evmExecutedCodec,
  evmTransferCodec,
} from "@causeway/chain-core/interchain";
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { isRejected, rejected } from "@causeway/primitives";

/** Rejected for an unknown kind or a body that does not parse. */
export function eventIdOf(
  network: NetworkId,
  chain: Uint8Array,
  event: ForeignEvent,
): Bytes32 | Rejected<"bad-event"> {
  const contract = contractOf(event);
  if (isRejected(contract)) return rejected("bad-event", contract.message);
  return eventId(network, chain, contract, event.txid, event.index);
}

function contractOf(event: ForeignEvent): Uint8Array | undefined | Rejected {
  switch (event.kind) {
    case eventKinds.bitcoinDeposit:
      return undefined;
    case eventKinds.evmDeposited:
    case eventKinds.evmBurned:
      return fieldOf(evmTransferCodec.parse(event.body));
    case eventKinds.evmExecuted:
      return fieldOf(evmExecutedCodec.parse(event.body));
    case eventKinds.evmContract:
      return fieldOf(evmContractCodec.parse(event.body));
    default:
      return rejected("bad-event", `no event kind ${event.kind}`);
  }
}

function fieldOf(body: { contract: Uint8Array } | Rejected): Uint8Array | Rejected {
  return isRejected(body) ? body : body.contract;
}
