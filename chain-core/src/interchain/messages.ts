// What the ring signs for a plan, rebuilt from the plan's own fields (DESIGN 4): the ledger's signature rule and
// every signer use this one function, so that neither signs or accepts what the other did not mean.
import type { BadBytes, Bytes32, Codec, NetworkId, Rejected } from "@causeway/primitives";
import {
  b20,
  b32,
  bigEndian,
  bytes32,
  ContainerType,
  codec,
  concat,
  equal,
  H,
  isRejected,
  ListCompositeType,
  rejected,
  u8,
  u32,
  u64,
  u128,
} from "@causeway/primitives";
import { verifySchnorr } from "@causeway/primitives/secp256k1";
import type { Genesis } from "../ledger/genesis.ts";
import { canaryMessage, canarySubject } from "../ring/keygen.ts";
import type { Key } from "../ring/records.ts";
import { outputKey, taprootTweak } from "../ring/tweak.ts";
import { parseTransaction, sighashes, transactionHash } from "./bitcoin/transaction.ts";
import type { BadBatch, Batch, Domain } from "./ethereum/batch.ts";
import { batchDigest, checkBatch, itemsMax, setKeyDigest } from "./ethereum/batch.ts";
import type { Plan } from "./records.ts";
import { planKinds } from "./records.ts";

/** The id of a plan: deterministic, so that one subject is planned once. */
export function planId(network: NetworkId, kind: number, subject: Uint8Array): Bytes32 {
  return H("plan", network, concat(bigEndian(kind, 1), subject));
}

/** Names plans of one key that are signed in one ROAST session: one by its own id, several by the hash of theirs. */
export function bundleId(network: NetworkId, plans: readonly [Bytes32, ...Bytes32[]]): Bytes32 {
  const [first, ...more] = plans;
  return more.length === 0 ? first : H("bundle", network, concat(...plans));
}

/** A batch as the subject of its plan. */
export const batchCodec: Codec<Batch> = codec(
  "batch subject",
  new ContainerType({
    keyId: u32,
    nonce: u64,
    stipend: u32,
    overhead: u32,
    items: new ListCompositeType(
      new ContainerType({ kind: u8, token: b20, to: b20, amount: u128 }),
      itemsMax,
    ),
  }),
  8192,
);

/** ETH-1: `key` (x-only) is from execution on the only valid one; `keyId` and `nonce` are the signer's slot. */
export type SetKey = { keyId: number; nonce: number; newKeyId: number; key: Uint8Array };
/** A change of key as the subject of its plan. */
export const setKeyCodec: Codec<SetKey> = codec(
  "set-key subject",
  new ContainerType({ keyId: u32, nonce: u64, newKeyId: u32, key: b32 }),
  64,
);

/** Where the messages of an EVM chain of the genesis are valid. */
export function evmDomain(
  { networkId, evm }: Pick<Genesis, "networkId" | "evm">,
  chain: Uint8Array,
): Domain | undefined {
  const place = evm.find((one) => equal(one.chain, chain));
  return place && { network: networkId, chainId: place.chainId, contract: place.gateway };
}

/** The batch of a plan's subject, if it keeps every limit of ETH-2. */
export function parseBatch(subject: Uint8Array): Batch | BadBytes | BadBatch {
  const batch = batchCodec.parse(subject);
  return isRejected(batch) ? batch : checkBatch(batch);
}

/**
 * One message of a plan. `tweak` is the Merkle root of the Taproot tweak of K under which it is signed; absent,
 * it is signed under K itself.
 */
export type PlanMessage = { readonly message: Bytes32; readonly tweak?: Bytes32 };

export type BadPlan = Rejected<
  /** The subject does not parse, or contradicts the plan's other fields. */
  | "bad-plan"
  /** No such plan kind, or a chain that the genesis does not know. */
  | "unknown-plan"
>;

/** Messages in the order of the plan's signatures: a Bitcoin plan has one for each input, others one. */
export function planMessages(
  genesis: Genesis,
  plan: Plan,
  key: Pick<Key, "keyId" | "groupPoint">,
): PlanMessage[] | BadPlan {
  if (plan.keyId !== key.keyId)
    return rejected("bad-plan", `a plan of key ${plan.keyId}, not ${key.keyId}`);
  switch (plan.kind) {
    case planKinds.sweep:
    case planKinds.withdrawal:
    case planKinds.handover:
      return bitcoinMessages(plan);
    case planKinds.evmBatch:
    case planKinds.evmSetKey:
      return evmMessages(genesis, plan);
    case planKinds.canary: {
      const canary = { ...key, attempt: plan.attempt };
      if (!equal(plan.subject, canarySubject(canary)))
        return rejected("bad-plan", "the canary is of another key");
      return [{ message: canaryMessage(genesis.networkId, canary) }];
    }
    default:
      return rejected("unknown-plan", `no plan kind ${plan.kind}`);
  }
}

function bitcoinMessages({ subject, inputs, txid }: Plan): PlanMessage[] | BadPlan {
  const transaction = parseTransaction(subject);
  if (isRejected(transaction)) return rejected("bad-plan", transaction.message);
  const sameInputs =
    transaction.inputs.length === inputs.length &&
    transaction.inputs.every((input, i) => {
      const planned = inputs[i];
      return planned && equal(input.txid, planned.txid) && input.vout === planned.vout;
    });
  if (!sameInputs || !equal(transactionHash(transaction), txid))
    return rejected("bad-plan", "the transaction is not that of the plan's inputs and txid");
  return sighashes(transaction, inputs).map((message, i) => ({
    message,
    tweak: bytes32(inputs[i]?.merkleRoot ?? new Uint8Array(0)),
  }));
}

function evmMessages(genesis: Genesis, plan: Plan): PlanMessage[] | BadPlan {
  const domain = evmDomain(genesis, plan.chain);
  if (domain === undefined)
    return rejected("unknown-plan", "a message for a chain not in the genesis");
  const isSetKey = plan.kind === planKinds.evmSetKey;
  const subject = isSetKey ? setKeyCodec.parse(plan.subject) : parseBatch(plan.subject);
  if (isRejected(subject)) return rejected("bad-plan", subject.message);
  if (subject.nonce !== plan.nonce || subject.keyId !== plan.keyId)
    return rejected("bad-plan", "the message is not that of the plan's nonce and key");
  if ("items" in subject) return [{ message: batchDigest(domain, subject) }];
  const { newKeyId, key } = subject;
  return [{ message: setKeyDigest(domain, subject, { keyId: newKeyId, key }) }];
}

/** BIP340 under the ring's key, tweaked as the message says (BTC-1). About 0.3 ms. */
export function verifyPlanSignature(
  groupPoint: Uint8Array,
  { message, tweak }: PlanMessage,
  signature: Uint8Array,
): boolean {
  const tweaks = tweak === undefined ? [] : [taprootTweak(groupPoint, tweak)];
  const under = outputKey(groupPoint, tweaks);
  return !isRejected(under) && verifySchnorr(under.key, message, signature);
}
