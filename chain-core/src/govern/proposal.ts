// What a committee or guardians are asked to approve (GOV-1, GOV-2), as a file that one person writes and each reads:
// bytes that are signed, and the sentence that they mean. Whoever reads one makes the sentence anew.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected, parseHex, rejected, toHex } from "@causeway/primitives";
import type { Action } from "../codec/action.ts";
import { kinds } from "../codec/action.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { Act, Approval } from "../ledger/governance/approval.ts";
import { approvalDigest, subjectSizeMax } from "../ledger/governance/approval.ts";
import type { GuardOrder, GuardSignature } from "../ledger/governance/guard.ts";
import {
  guardActs,
  guardCodec,
  guardDigest,
  guardOrderCodec,
  guardRule,
} from "../ledger/governance/guard.ts";
import {
  changeCodec,
  setParameterCodec,
  setParameterRule,
} from "../ledger/governance/set-parameter.ts";
import { upgradeCodec, upgradeRule, upgradeStepCodec } from "../ledger/governance/upgrade.ts";
import type { FileCode } from "./file.ts";
import { readFields } from "./file.ts";

/** `guardian`: whose slow mode it is, an index of the genesis' list. */
export type Proposal = Act & { readonly guardian?: number };

/** By guardians, or by the committee's approval; neither in a draft. */
export type Signatures = {
  readonly approval?: Approval;
  readonly guardians?: readonly GuardSignature[];
};

/** Kinds that are proposed, by their name in a file. */
const names: Readonly<Record<string, number>> = {
  setParameter: kinds.setParameter,
  upgrade: kinds.upgrade,
  guard: kinds.guard,
};
const format = "causeway/proposal/v1";

/** The order of a proposal to guardians; undefined for one to the committee alone. */
export function orderOf({ kind, subject }: Proposal): GuardOrder | undefined {
  if (kind !== kinds.guard) return undefined;
  const order = guardOrderCodec.parse(subject);
  return isRejected(order) ? undefined : order;
}

export function isSlowMode(proposal: Proposal): boolean {
  return orderOf(proposal)?.act === guardActs.slow;
}

/** What a member of the committee signs with its attest key. */
export function committeeDigest(
  genesis: Genesis,
  { kind, subject, sequence, epoch }: Proposal,
): Bytes32 {
  return approvalDigest(genesis.networkId, { kind, subject, sequence, epoch });
}

/** What a guardian signs; undefined where guardians have no say. */
export function guardianDigest(genesis: Genesis, proposal: Proposal): Bytes32 | undefined {
  const order = orderOf(proposal);
  return order && guardDigest(genesis.networkId, order);
}

/** The action that the ledger judges; without signatures a draft of the same size and meaning. */
export function actionOf(proposal: Proposal, signed: Signatures): Action {
  const { kind, subject, sequence, epoch } = proposal;
  const none = { bitmap: new Uint8Array(1), signature: new Uint8Array(96) };
  const approval = signed.approval ?? { sequence, epoch, ...none };
  switch (kind) {
    case kinds.setParameter:
      return {
        kind,
        body: setParameterCodec.encode({ change: changeCodec.decode(subject), approval }),
      };
    case kinds.upgrade:
      return {
        kind,
        body: upgradeCodec.encode({ step: upgradeStepCodec.decode(subject), approval }),
      };
    default: {
      const order = guardOrderCodec.decode(subject);
      const guardians = [...(signed.guardians ?? [])];
      const isByCommittee = guardians.length === 0;
      const body = guardCodec.encode({
        order,
        guardians,
        approval: isByCommittee ? [approval] : [],
      });
      return { kind: kinds.guard, body };
    }
  }
}

/** The sentence that whoever pays for the action signs too (FMT-6). */
export function sentenceOf(genesis: Genesis, proposal: Proposal): string {
  const { kind, body } = actionOf(proposal, {});
  const text =
    kind === kinds.setParameter
      ? setParameterRule.describe?.(genesis, setParameterCodec.decode(body))
      : kind === kinds.upgrade
        ? upgradeRule.describe?.(genesis, upgradeCodec.decode(body))
        : guardRule.describe?.(genesis, guardCodec.decode(body));
  return text ?? `Action of kind ${kind}`;
}

export function writeProposal(genesis: Genesis, proposal: Proposal): string {
  const { kind, subject, sequence, epoch, guardian } = proposal;
  const [name] = Object.entries(names).find(([, number]) => number === kind) ?? [`${kind}`];
  const file = {
    format,
    network: toHex(genesis.networkId),
    kind: name,
    subject: toHex(subject),
    sequence,
    epoch,
    ...(guardian !== undefined && { guardian }),
    text: sentenceOf(genesis, proposal),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

export type ProposalCode =
  | FileCode
  /** The sentence is not what the bytes mean. */
  | "wrong-text";

/** Of the bytes of a file, at most 16 KiB. */
export function readProposal(
  genesis: Genesis,
  bytes: Uint8Array,
): Proposal | Rejected<ProposalCode> {
  const file = readFields(genesis, format, bytes);
  if (isRejected(file)) return file;
  const bad = (what: string): Rejected<"bad-file"> => rejected("bad-file", what);
  const { kind: name, subject: hex, sequence, epoch, guardian, text } = file.fields;
  const kind = typeof name === "string" && Object.hasOwn(names, name) ? names[name] : undefined;
  if (kind === undefined) return bad(`kind is one of ${Object.keys(names).join(", ")}`);
  const subject = parseHex(hex, { sizeMax: subjectSizeMax });
  if (isRejected(subject)) return bad(`subject: ${subject.message}`);
  const codec = { [kinds.setParameter]: changeCodec, [kinds.upgrade]: upgradeStepCodec }[kind];
  const parsed = (codec ?? guardOrderCodec).parse(subject);
  if (isRejected(parsed)) return bad(`subject: ${parsed.message}`);
  if (!isNumber(sequence) || !isNumber(epoch)) return bad("sequence and epoch are whole numbers");
  if (guardian !== undefined && (!isNumber(guardian) || guardian > 255))
    return bad("guardian is an index of the genesis' list");
  const proposal = { kind, subject, sequence, epoch, ...(guardian !== undefined && { guardian }) };
  const order = orderOf(proposal);
  if (order !== undefined && order.sequence !== sequence)
    return bad(`sequence ${sequence}, the order's is ${order.sequence}`);
  if (isSlowMode(proposal) !== (guardian !== undefined))
    return bad("slow mode, and it alone, names its guardian");
  const means = sentenceOf(genesis, proposal);
  if (text === means) return proposal;
  return rejected("wrong-text", `the file's text is not what its bytes mean: ${means}`);
}

const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
