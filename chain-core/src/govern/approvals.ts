// One signature of a member or a guardian over a proposal, as a file; and all of them as the action that the ledger
// takes. A secret key stays where it is, only its signature travels.
import type { Bls, Rejected } from "@causeway/primitives";
import { equal, isRejected, keyOf, parseHex, rejected, toHex } from "@causeway/primitives";
import { publicPoint, recover, signRecoverable } from "@causeway/primitives/secp256k1";
import type { Action } from "../codec/action.ts";
import { kinds } from "../codec/action.ts";
import { bitmapOf } from "../codec/bitmap.ts";
import type { Committee } from "../codec/block.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { ruleOf } from "../ledger/rules.ts";
import type { FileCode } from "./file.ts";
import { fileSizeMax, readFields } from "./file.ts";
import type { Proposal, Signatures } from "./proposal.ts";
import { actionOf, committeeDigest, guardianDigest, isSlowMode } from "./proposal.ts";

/** By a member's attest key (48 bytes) or a guardian's key (33 bytes), with its signature (96 or 65 bytes). */
export type Signed = {
  readonly by: "member" | "guardian";
  readonly digest: Uint8Array;
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
};
const format = "causeway/approval/v1";
const sizes = { member: { key: 48, signature: 96 }, guardian: { key: 33, signature: 65 } } as const;

export function signAsMember(
  genesis: Genesis,
  bls: Bls,
  proposal: Proposal,
  attestSecret: Uint8Array,
): Signed | Rejected<"not-asked"> {
  if (isSlowMode(proposal)) return rejected("not-asked", "slow mode is ordered by one guardian");
  const digest = committeeDigest(genesis, proposal);
  const signature = bls.sign(attestSecret, digest);
  return { by: "member", digest, key: bls.publicKey(attestSecret), signature };
}

export function signAsGuardian(
  genesis: Genesis,
  proposal: Proposal,
  secret: Uint8Array,
): Signed | Rejected<"not-asked"> {
  const digest = guardianDigest(genesis, proposal);
  if (digest === undefined)
    return rejected("not-asked", "guardians order pauses and slow mode only");
  return {
    by: "guardian",
    digest,
    key: publicPoint(secret),
    signature: signRecoverable(secret, digest),
  };
}

export function writeSigned(
  { networkId }: Genesis,
  { by, digest, key, signature }: Signed,
): string {
  const hex = { digest: toHex(digest), key: toHex(key), signature: toHex(signature) };
  return `${JSON.stringify({ format, network: toHex(networkId), by, ...hex }, undefined, 2)}\n`;
}

/** Of the bytes of a file; whether the signature is right, {@link combine} says. */
export function readSigned(genesis: Genesis, bytes: Uint8Array): Signed | Rejected<FileCode> {
  const file = readFields(genesis, format, bytes);
  if (isRejected(file)) return file;
  const { fields } = file;
  const { by } = fields;
  if (by !== "member" && by !== "guardian") return rejected("bad-file", "by is member or guardian");
  const digest = parseHex(fields.digest, { size: 32 });
  const key = parseHex(fields.key, { size: sizes[by].key });
  const signature = parseHex(fields.signature, { size: sizes[by].signature });
  for (const one of [digest, key, signature])
    if (isRejected(one)) return rejected("bad-file", one.message);
  return { by, digest, key, signature } as Signed;
}

export type CombineCode =
  /** Over another proposal. */
  | "other-proposal"
  /** By nobody of the committee that the proposal names, or by no guardian of the genesis. */
  | "stranger"
  | "bad-signature"
  /** Members' and guardians' approvals do not add up, or there is none. */
  | "mixed";

/** Seats or guardians in ascending order, each once. */
export type Combined = { readonly action: Action; readonly signers: readonly number[] };

/** `committee` is that of the proposal's epoch. Whether it is enough is the ledger's to say. */
export function combine(
  genesis: Genesis,
  bls: Bls,
  proposal: Proposal,
  committee: Committee,
  all: readonly Signed[],
): Combined | Rejected<CombineCode> {
  const by = all[0]?.by;
  if (by === undefined || all.some((one) => one.by !== by))
    return rejected("mixed", "approvals of members alone, or of guardians alone, at least one");
  const isMember = by === "member";
  const digest = isMember ? committeeDigest(genesis, proposal) : guardianDigest(genesis, proposal);
  const keys = isMember
    ? committee.members.map(({ attestKey }) => attestKey)
    : genesis.guardians.keys;
  const found = new Map<number, Uint8Array>();
  for (const { digest: of, key, signature } of all) {
    const who = `${by} ${toHex(key)}`;
    if (digest === undefined || !equal(of, digest))
      return rejected("other-proposal", `the approval of ${who} is of another proposal`);
    const index = keys.findIndex((one) => equal(one, key));
    if (index < 0) return rejected("stranger", `${who} is not asked`);
    const isGood = isMember
      ? bls.verify(key, digest, signature)
      : keyOf(recover(digest, signature) ?? new Uint8Array(0)) === keyOf(key);
    if (!isGood) return rejected("bad-signature", `the signature of ${who} is wrong`);
    found.set(index, signature);
  }
  const signers = [...found.keys()].sort((a, b) => a - b);
  const signatures = signers.map((index) => found.get(index) as Uint8Array);
  return {
    action: actionOf(proposal, signaturesOf(bls, proposal, committee, by, signers, signatures)),
    signers,
  };
}

function signaturesOf(
  bls: Bls,
  { sequence, epoch }: Proposal,
  { members }: Committee,
  by: Signed["by"],
  signers: readonly number[],
  signatures: readonly Uint8Array[],
): Signatures {
  if (by === "guardian")
    return {
      guardians: signers.map((guardian, i) => ({
        guardian,
        signature: signatures[i] as Uint8Array,
      })),
    };
  const bitmap = bitmapOf(signers, members.length);
  return { approval: { sequence, epoch, bitmap, signature: bls.aggregate(signatures) } };
}

const actionFormat = "causeway/action/v1";

/** An action that is complete: `text` is for people, and made anew by whoever pays for it. */
export function writeAction(genesis: Genesis, { kind, body }: Action, text: string): string {
  const network = toHex(genesis.networkId);
  const file = { format: actionFormat, network, kind, body: toHex(body), text };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

export function readAction(genesis: Genesis, bytes: Uint8Array): Action | Rejected<FileCode> {
  const file = readFields(genesis, actionFormat, bytes);
  if (isRejected(file)) return file;
  const { kind } = file.fields;
  const body = parseHex(file.fields.body, { sizeMax: fileSizeMax });
  const rule = typeof kind === "number" && governKinds.includes(kind) ? ruleOf(kind) : undefined;
  if (rule === undefined) return rejected("bad-file", "no action of governance");
  const parsed = isRejected(body) ? body : rule.codec.parse(body);
  if (isRejected(parsed) || isRejected(body))
    return rejected("bad-file", "the body does not parse");
  return { kind: rule.kind, body };
}

const governKinds: readonly number[] = [kinds.setParameter, kinds.upgrade, kinds.guard];
