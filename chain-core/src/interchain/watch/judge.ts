// A signer's judgement of one stated event (WIT-1, WIT-3): true, not yet, or why it is a lie. It applies no
// policy: depth, caps and minimum are rules of the ledger. Facts come from the operator's own nodes.
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, rejected, toHex } from "@causeway/primitives";
import { addressOf, xOnly } from "@causeway/primitives/secp256k1";
import type { EvmChain, Genesis } from "../../ledger/genesis.ts";
import type { StateReader } from "../../ledger/state.ts";
import { currentKeys, keys } from "../../ring/records.ts";
import { verifyInclusion } from "../bitcoin/inclusion.ts";
import { depositScript } from "../bitcoin/scripts.ts";
import { guardiansHash, parseKey } from "../ethereum/contract.ts";
import type { GatewayEvent } from "../ethereum/events.ts";
import { parseLog } from "../ethereum/events.ts";
import type { BitcoinDeposit, EvmContract, EvmTransfer, ForeignEvent } from "../statement.ts";
import {
  bitcoinDepositCodec,
  eventKinds,
  evmContractCodec,
  evmExecutedCodec,
  evmTransferCodec,
} from "../statement.ts";
import type { BitcoinFacts, EvmFacts, EvmReceipt, Facts } from "./facts.ts";

export type JudgeCode =
  /** The body does not parse, or the kind is none of the chain's. */
  | "bad-event"
  /** The facts are of another kind of chain than the event. */
  | "wrong-facts"
  /** The own node has another block at that height of its best chain. */
  | "block-not-on-best-chain"
  /** The branch does not lead to the block's root, or the transaction is malformed. */
  | "bad-inclusion"
  | "wrong-txid"
  /** The transaction has no such output. */
  | "no-such-output"
  /** The output pays to another script than that of the terms. */
  | "wrong-script"
  | "wrong-amount"
  /** The terms name a key that the ledger does not hold for that chain. */
  | "unknown-key"
  /** The terms can be no address: version or refund key. */
  | "bad-terms"
  /** The transaction reverted, or has no such log in its receipt. */
  | "log-not-found"
  | "wrong-contract"
  /** The log says something else than the event. */
  | "wrong-log"
  | "wrong-code-hash"
  | "wrong-network"
  | "wrong-key";

/** "not-yet": the own node does not show it now and may later. */
export type Judgement = "true" | "not-yet" | Rejected<JudgeCode>;

/** `view` are the ledger's records as the signer has proved them: the ring's keys are read from it. */
export function judgeEvent(
  genesis: Genesis,
  view: StateReader,
  facts: Facts,
  event: ForeignEvent,
): Judgement {
  if (event.kind === eventKinds.bitcoinDeposit) {
    if (facts.kind !== "bitcoin") return rejected("wrong-facts", "no facts of Bitcoin");
    return judgeDeposit(genesis, view, facts, event);
  }
  if (facts.kind !== "evm") return rejected("wrong-facts", "no facts of an EVM chain");
  if (event.height > facts.finalized.height || facts.blockHash === undefined) return "not-yet";
  if (!equal(facts.blockHash, event.blockHash)) return notOnBestChain(event, facts.blockHash);
  return event.kind === eventKinds.evmContract
    ? judgeContract(genesis, view, facts, event)
    : judgeLog(genesis, facts, event);
}

function notOnBestChain(event: ForeignEvent, own: Uint8Array): Judgement {
  return rejected(
    "block-not-on-best-chain",
    `block ${toHex(event.blockHash)} at ${event.height}; the own node has ${toHex(own)}`,
  );
}

// ------------------------------------------------------------------------------------------ Bitcoin

function judgeDeposit(
  genesis: Genesis,
  view: StateReader,
  facts: BitcoinFacts,
  event: ForeignEvent,
): Judgement {
  const { block } = facts;
  if (block === undefined) return "not-yet";
  if (!equal(block.hash, event.blockHash)) {
    // The own node may be behind a reorganisation that others have seen.
    const isNearTip = event.height + 2 >= facts.tip.height;
    return isNearTip ? "not-yet" : notOnBestChain(event, block.hash);
  }
  const deposit = bitcoinDepositCodec.parse(event.body);
  if (isRejected(deposit)) return rejected("bad-event", deposit.message);
  const problem = checkDeposit(genesis, view, block.header, { ...event, deposit });
  // The proved view is a block behind the ledger: the key may have been activated since.
  return problem?.code === "unknown-key" ? "not-yet" : (problem ?? "true");
}

/** An event with its parsed body, as ledger and signers check it. */
export type StatedDeposit = Pick<ForeignEvent, "txid" | "index"> & {
  readonly deposit: BitcoinDeposit;
};

/**
 * Why the block of `header` (80 bytes) does not hold this deposit, or undefined. The ledger's attest rule and
 * the signers check by this same function: the output is there, and it pays to the address of these terms.
 */
export function checkDeposit(
  genesis: Genesis,
  view: StateReader,
  header: Uint8Array,
  { txid, index, deposit }: StatedDeposit,
): Rejected<JudgeCode> | undefined {
  const key = keys.get(view, deposit.keyId);
  if (key === undefined || !equal(key.chain, genesis.bitcoin.chain))
    return rejected("unknown-key", `no key ${deposit.keyId} of the ring for Bitcoin`);
  const script = depositScript(genesis, { ...deposit, keyPoint: key.groupPoint });
  if (isRejected(script)) return rejected("bad-terms", script.message);
  const included = verifyInclusion(header, deposit);
  if (isRejected(included)) return rejected("bad-inclusion", included.message);
  if (!equal(included.txid, txid))
    return rejected("wrong-txid", `the proof is of transaction ${toHex(included.txid)}`);
  const output = included.transaction.outputs[index];
  if (output === undefined)
    return rejected("no-such-output", `no output ${index} in ${toHex(txid)}`);
  if (!equal(output.script, script.script))
    return rejected("wrong-script", `output ${index} does not pay ${script.address}`);
  if (output.amount !== deposit.amount)
    return rejected("wrong-amount", `${output.amount} sats, not ${deposit.amount}`);
  return undefined;
}

// ---------------------------------------------------------------------------------------------- EVM

/** The chain of the genesis that was read, if `contract` is its gateway. */
function evmOf(genesis: Genesis, facts: EvmFacts, contract: Uint8Array): EvmChain | undefined {
  const evm = genesis.evm.find(({ chain }) => equal(chain, facts.chain));
  return evm !== undefined && equal(evm.gateway, contract) ? evm : undefined;
}

function judgeLog(genesis: Genesis, facts: EvmFacts, event: ForeignEvent): Judgement {
  const { receipt } = facts;
  if (receipt === undefined) return rejected("log-not-found", "the own node has no such receipt");
  if (!equal(receipt.blockHash, event.blockHash))
    return rejected("block-not-on-best-chain", "the receipt is of another block");
  const raw = receipt.succeeded ? receipt.logs[event.index] : undefined;
  if (raw === undefined)
    return rejected("log-not-found", `no log ${event.index} in ${toHex(event.txid)}`);
  const log = parseLog(raw);
  if (isRejected(log)) return rejected("wrong-log", log.message);
  if (evmOf(genesis, facts, log.contract) === undefined)
    return rejected("wrong-contract", `a log of ${toHex(log.contract)}, not of the gateway`);
  const expected = bodyOf(log, receipt);
  if (expected === undefined || expected.kind !== event.kind)
    return rejected("wrong-log", `the log is a ${log.kind}`);
  return equal(expected.body, event.body)
    ? "true"
    : rejected("wrong-log", `the ${log.kind} log says something else`);
}

/** Kind and canonical body of the event that a log of the gateway is; undefined for those never stated. */
export function bodyOf(
  log: GatewayEvent,
  receipt: Pick<EvmReceipt, "gasUsed" | "gasPrice">,
): { readonly kind: number; readonly body: Uint8Array } | undefined {
  switch (log.kind) {
    case "deposited":
    case "burned": {
      const { contract, token, from, amount, destination, maxFee } = log;
      const transfer: EvmTransfer = { contract, token, from, amount, destination, maxFee };
      const kind = log.kind === "burned" ? eventKinds.evmBurned : eventKinds.evmDeposited;
      return { kind, body: evmTransferCodec.encode(transfer) };
    }
    case "executed": {
      const { contract, nonce, digest, failedBitmap, executor } = log;
      const { gasUsed, gasPrice } = receipt;
      const fields = { contract, nonce, digest, failedBitmap, executor, gasUsed, gasPrice };
      return { kind: eventKinds.evmExecuted, body: evmExecutedCodec.encode(fields) };
    }
    case "key-set":
      return undefined;
  }
}

function judgeContract(
  genesis: Genesis,
  view: StateReader,
  facts: EvmFacts,
  event: ForeignEvent,
): Judgement {
  const stated = evmContractCodec.parse(event.body);
  if (isRejected(stated)) return rejected("bad-event", stated.message);
  const evm = evmOf(genesis, facts, stated.contract);
  if (evm === undefined) return rejected("wrong-contract", "not the gateway of the genesis");
  if (event.index !== 0 || !equal(event.txid, event.blockHash))
    return rejected("bad-event", "a contract is stated by the hash of the block read");
  const { contract } = facts;
  if (contract === undefined) return "not-yet";
  const { code } = contract;
  if (isRejected(code))
    return code.code === "not-deployed" ? "not-yet" : rejected("wrong-code-hash", code.message);
  const guardians = genesis.guardians.keys.map(addressOf);
  const isOurs =
    equal(contract.templateHash, evm.templateHash) &&
    equal(code.codeHash, stated.codeHash) &&
    equal(code.guardiansHash, guardiansHash(guardians, genesis.guardians.threshold));
  if (!isOurs) return rejected("wrong-code-hash", "not the gateway's code with our guardians");
  if (!equal(code.network, genesis.networkId) || !equal(stated.network, genesis.networkId))
    return rejected("wrong-network", "a gateway of another network");
  const held = parseKey(contract.key);
  if (isRejected(held)) return rejected("wrong-key", held.message);
  if (held.keyId !== stated.keyId || !equal(held.key, stated.key))
    return rejected("wrong-key", `the contract holds key ${held.keyId}`);
  // The proved view is a block behind the ledger: a newer key may be the current one by now.
  return checkContractKey(view, evm, stated) === undefined ? "true" : "not-yet";
}

/**
 * Why the key that a contract holds is neither the ring's current one for its chain nor a newer active one, to which
 * the ring's own message or a recovery has moved it (ETH-1, ETH-3), or undefined. It never goes back.
 */
export function checkContractKey(
  view: StateReader,
  evm: EvmChain,
  stated: EvmContract,
): Rejected<JudgeCode> | undefined {
  const current = currentKeys.get(view, evm.chain);
  const key = keys.get(view, stated.keyId);
  const isOurs = key?.active === true && equal(key.chain, evm.chain);
  if (!isOurs || current === undefined || key.keyId < current.keyId)
    return rejected("wrong-key", `key ${stated.keyId} is not the ring's current one or a newer`);
  return equal(xOnly(key.groupPoint), stated.key)
    ? undefined
    : rejected("wrong-key", `key ${stated.keyId} is another on the ledger`);
}
